"""Scores files with a bundle: `python -m mlops_ci_serving.batch`. Needs pyarrow beside the bundle's own lock."""
