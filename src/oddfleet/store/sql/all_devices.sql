-- Which devices have traffic, in the rows of these numbers?
SELECT DISTINCT device_id
FROM time_series
WHERE series_type = :series_type
  AND rowid BETWEEN :first AND :last;
