"""Second opinions on written answers: asked once, when a submission is measured; they send to review only."""
