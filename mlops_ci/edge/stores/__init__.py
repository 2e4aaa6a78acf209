"""Where bundles of releases are kept, by their digests: a folder of this machine, and places many machines reach."""
