"""Facts that gates name: what is at hand is looked up, the rest is measured, each by a file of its own."""
