"""The table of exit codes in README.md; a test compares."""

from __future__ import annotations

import ast
import inspect
from itertools import pairwise

from mlops_ci import errors
from mlops_ci.errors import ExitCode


def table() -> str:
    """The exit codes as a Markdown table, with the words that stand beside them in `errors.ExitCode`."""
    lines = ["| code | meaning |", "|---|---|"]
    words = _words()
    return "\n".join([*lines, *(f"| {code.value} | {words[code.name]} |" for code in ExitCode)]) + "\n"


def _words() -> dict[str, str]:
    """Name of a member -> the string under it, read from the source: enum members keep no docstrings."""
    found: dict[str, str] = {}
    classes = [node for node in ast.parse(inspect.getsource(errors)).body if isinstance(node, ast.ClassDef)]
    [code] = [node for node in classes if node.name == ExitCode.__name__]
    for member, text in pairwise(code.body):
        match member, text:
            case ast.Assign(targets=[ast.Name(id=name)]), ast.Expr(value=ast.Constant(value=str(meaning))):
                found[name] = meaning
    return found
