"""The generated workflows: their text, their pins, and whether a file is still what was generated."""
