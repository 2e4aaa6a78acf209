"""Runs the project's code in the project's environment; handed over by path, never imports mlops_ci.

Works on Python 3.9 and later with pandas 1.5 to 3. Needs the standard library, and numpy and pandas
for everything that hands over a table.
"""
