"""What waits for a human, who looks at it, and what is said about it."""
