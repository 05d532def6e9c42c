"""Written answers: what they seem to say of the rubric's concepts. Proposals with evidence, no verdicts."""
