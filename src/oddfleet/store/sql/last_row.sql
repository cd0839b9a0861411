-- Up to which number are the rows of traffic numbered? None where no row is stored.
SELECT MAX(rowid)
FROM time_series;
