"""Load on a server whose workers are killed and whose bundle is reloaded: is what was answered what is logged?"""
