-- Which devices had the most traffic in all, in MB?
-- By device and not by name: two devices may share a name. One name a device, should meta repeat an id.
WITH totals AS (
    SELECT device_id, COALESCE(SUM(value), 0.0) AS total_mb
    FROM time_series
    WHERE series_type = :series_type
    GROUP BY device_id
    ORDER BY total_mb DESC, device_id
    LIMIT :devices
),
names AS (
    SELECT id, MIN(name) AS name
    FROM meta
    GROUP BY id
)
SELECT totals.device_id, names.name, totals.total_mb
FROM totals
LEFT JOIN names ON names.id = totals.device_id
ORDER BY totals.total_mb DESC, totals.device_id;
