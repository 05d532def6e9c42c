"""A notebook on its way in: checked, kept as a draft, submitted once, by the terms of its student."""
