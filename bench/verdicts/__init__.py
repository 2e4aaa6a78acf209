"""How often gates are right and wrong, by simulation, beside what other tools do: `python -m bench.verdicts`.

Every cell is a truth that is known because it was made. Rates and their limits: the research on gates' statistics,
section 18.
"""
