"""Who there is, who takes part in what, and by what they are let in."""
