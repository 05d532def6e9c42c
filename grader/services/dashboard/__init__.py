"""What teachers see of an assignment: the class in figures, its submissions, one student, a pair."""
