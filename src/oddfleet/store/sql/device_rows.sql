-- Which rows has a device, among those of these numbers, as they came?
SELECT date, value
FROM time_series
WHERE series_type = :series_type
  AND device_id = :device_id
  AND rowid BETWEEN :first AND :last
ORDER BY rowid;
