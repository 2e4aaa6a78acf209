"""Cases that Schemathesis makes of the server's own description: is every answer one that it describes?"""
