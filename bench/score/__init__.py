"""Files of many rows scored, against what people use instead: rows a second, processor time, memory."""
