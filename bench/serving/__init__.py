"""Requests a second, milliseconds, memory and start of a served model, against the servers people use today."""
