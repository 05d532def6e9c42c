"""Speed, as figures to read; nothing here is asserted."""
