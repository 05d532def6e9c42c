"""How far proposals for written answers can be trusted: learned from reviewers' marks, measured on files."""
