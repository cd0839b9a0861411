INSERT INTO meta_attributes (id, attribute, value) VALUES (?, ?, ?);
