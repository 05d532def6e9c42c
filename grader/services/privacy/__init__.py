"""Personal data: taken along, erased, kept no longer than a course wants."""
