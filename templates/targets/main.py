"""What the Functions Framework calls: `predict`. Made by mlops-ci."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "bundle" / "serve"))

from mlops_ci_serving.functions import predict  # noqa: E402, F401
