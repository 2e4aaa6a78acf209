"""mlops-ci: machine-learning repositories run by commits."""

__version__ = "0.1.0"
