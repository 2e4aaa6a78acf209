"""Timings against what people use instead, in the same run, as ratios: `make bench`."""
