"""Load on a served bundle whose workers are killed: is what was answered what is logged?"""
