"""`make survive`: what was acknowledged survives whatever is done to the processes."""
