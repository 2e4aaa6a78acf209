"""Files a judged model can be released as, and whether what is in them answers as the model does."""
