"""The doors over HTTP: parse, call a verb, render."""
