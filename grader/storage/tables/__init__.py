"""The tables, by what they are about, and what holds for all of them."""
