-- How much traffic had all devices together on the first day on record, in MB?
SELECT date, COALESCE(SUM(value), 0.0) AS total_mb
FROM time_series
WHERE series_type = :series_type
  AND date = (SELECT MIN(date) FROM time_series WHERE series_type = :series_type)
GROUP BY date;
