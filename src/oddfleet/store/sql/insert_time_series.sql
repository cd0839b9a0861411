INSERT INTO time_series (date, device_id, series_type, value) VALUES (?, ?, ?, ?);
