"""One file per step of a flow: its fingerprint, its cache, and its calls to edge and worker."""
