-- What the meta file says of a device besides its name.
CREATE TABLE meta_attributes (
    id NOT NULL,
    attribute TEXT NOT NULL,
    value TEXT
);
