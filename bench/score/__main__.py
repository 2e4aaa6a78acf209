"""`python -m bench.score`."""

from __future__ import annotations

import os
import sys

from bench.score.command import main

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
sys.exit(main(sys.argv[1:]))
