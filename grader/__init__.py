"""An autograder for homework notebooks with trained models."""

__version__ = "0.1.0"
