"""A GitHub for tests: its API with state, held to GitHub's own description of it, and git behind HTTP."""
