"""One file a method: what a metric's true value can be, as one-sided bounds, each at its own level."""
