"""mlops.yaml: reading it, its keys, and finding it."""
