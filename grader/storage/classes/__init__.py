"""A whole class at once: found, sorted, counted and cut into pages by the database."""
