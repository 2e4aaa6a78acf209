"""Where heavy things of releases are kept, by their digests: here, and where many machines reach."""
