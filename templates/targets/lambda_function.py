"""What AWS Lambda calls: lambda_function.lambda_handler, as it does unless told otherwise. Made by mlops-ci."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "bundle" / "serve"))

from mlops_ci_serving.aws import handler as lambda_handler  # noqa: E402, F401
