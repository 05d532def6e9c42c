"""A class line by line: read, changed by hand with a reason, taken out as files."""
