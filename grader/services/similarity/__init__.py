"""What submissions of different students have in common, noted when they are graded."""
