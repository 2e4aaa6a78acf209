"""Serves a bundle: copied into every bundle as `mlops_ci_serving`, it needs nothing else of ours.

The standard library, msgspec, numpy, uvicorn, and what the format of the model needs: ONNX Runtime, or
skops or pickle with pandas and the model's own library. Python 3.11 and later.
"""

VERSION = "1"
