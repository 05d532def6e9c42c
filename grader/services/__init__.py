"""The verbs: submit, autograde, regrade."""
