"""May a release move into an environment: pure rules over what git and the ledger say."""
