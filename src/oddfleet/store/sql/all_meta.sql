-- Which devices does the meta file name?
SELECT id, name
FROM meta;
