"""Which letter a multiple-choice answer means, out of a student's words."""
