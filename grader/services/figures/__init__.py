"""What is drawn of a submission and its class."""
