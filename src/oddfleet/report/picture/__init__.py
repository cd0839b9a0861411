"""One PNG an odd device, by matplotlib: what is drawn, where it stands, who draws it."""
