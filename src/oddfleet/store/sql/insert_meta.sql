INSERT INTO meta (id, name) VALUES (?, ?);
