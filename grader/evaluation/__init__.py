"""Weights → `ModelReport`. The child measures on the trusted side and never runs student code."""
