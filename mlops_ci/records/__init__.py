"""The nouns of mlops-ci as frozen values; imports nothing of ours but errors."""
