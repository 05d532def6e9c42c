"""The trusted side of a run: start the jail, check each frame, put the run together."""
