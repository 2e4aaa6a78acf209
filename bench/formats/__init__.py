"""Which format every common estimator becomes, and how far its answers are off: `python -m bench.formats`."""
