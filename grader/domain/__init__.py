"""What an assignment, a submission, evidence and a grade are. Standard library only; no clock, no files."""
