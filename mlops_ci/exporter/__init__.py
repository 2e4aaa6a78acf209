"""The packages that convert models, locked: laid beside the project's environment for the job `export` alone."""
