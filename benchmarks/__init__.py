"""Speed, as ratios of one run. Nothing here is asserted by a test."""
