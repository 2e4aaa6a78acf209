"""One file a section of the report: a story in, blocks out; a section with nothing to say has no blocks."""
