-- Everything that could be read, as it stands; and every line that could not.
-- Ids have no declared type: they are numbers or words, and stay as they came.
CREATE TABLE time_series (
    date TEXT NOT NULL,          -- ISO, such as 2020-01-31
    device_id NOT NULL,
    series_type TEXT NOT NULL,
    value REAL                   -- NULL: the line had an empty value
);
CREATE TABLE meta (
    id NOT NULL,
    name TEXT
);
CREATE TABLE rejected (
    file TEXT NOT NULL,
    line INTEGER NOT NULL,       -- 0: the file as a whole
    text TEXT NOT NULL,
    reason TEXT NOT NULL
);
