"""The decisions of a project as names and bytes; steps/ledger.py writes and reads them."""
