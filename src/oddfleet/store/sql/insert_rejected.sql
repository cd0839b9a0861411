INSERT INTO rejected (file, line, text, reason) VALUES (?, ?, ?, ?);
