"""Which words of a submission answer which part of the homework, found by content."""
