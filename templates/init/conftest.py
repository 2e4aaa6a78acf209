"""These tests get their model from `mlops-ci check`; an ordinary run of pytest leaves them out."""

import os

collect_ignore_glob = [] if "MLOPS_CI_RUN" in os.environ else ["test_*.py"]
