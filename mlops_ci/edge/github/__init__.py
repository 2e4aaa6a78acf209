"""GitHub's REST API: the client, what it reads, how a call can fail."""
