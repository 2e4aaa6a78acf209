"""The image of an ONNX bundle: how large it is, what it installs beside MLflow, and what a new model costs."""
