"""Runs deepchecks in an environment of its own; handed over by path, never imports mlops_ci.

The environment is made from `requirements.lock` here, which is compiled from `requirements.in`; deepchecks is not a
dependency of mlops-ci. Works on the Python of `.python-version`; needs the standard library, pandas and deepchecks.
"""
