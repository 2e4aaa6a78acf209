"""One file per verb: a list of steps."""
