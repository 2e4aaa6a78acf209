"""The bundle as files: what the runtime, MLflow and auditors read of a judged model. Pure."""
