"""`python -m mlops_ci` is the same as `mlops-ci`."""

from mlops_ci.cli import main

raise SystemExit(main())
