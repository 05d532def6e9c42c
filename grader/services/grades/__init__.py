"""What counts of a submission now, and who may see which of it."""
