"""docs/formats-matrix.md: which format every estimator and step becomes, and what parity measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.formats.tables import KINDS

TASKS = {"binary": "two classes", "multiclass": "three classes", "regression": "a number"}
HEADS = {"numbers": "numbers", "categories": "categories", "missing": "missing values", "text": "counted words"}
_HEAD = """# The matrix of formats

Made by `python -m bench.formats`; what the words mean is in [formats](formats.md). Small models on 120 held-out\
 rows: behind a scaler (numbers), behind one-hot encoding (categories), behind\
 an imputer and that (missing values), behind TF-IDF (counted words).

A cell says the format that `format: auto` takes, then what parity measured: the largest\
 difference of a probability (of a number: as a share of the largest answer) and how many\
 hunted rows were compared beside the held-out ones, all with equal labels.\
 *float64*: with float32 it is refused, or answers otherwise at a jump.\
 *n told*: hunted values that lie on the other side of a jump in 32 bits,\
 none of which a held-out row has.

Of {all} models {onnx} become ONNX, of which {double} need float64. The others are kept by skops; why is told below.
"""


def page(estimators: Sequence[dict[str, Any]], steps: Sequence[dict[str, Any]]) -> str:
    """The page. estimators, steps: what the script run.py prints of the cases `all` and `steps`."""
    rows = [*estimators, *steps]
    formats = [cell(row["answer"]) for row in rows]
    counted = {
        "all": len(rows),
        "onnx": sum(one.startswith("ONNX") for one in formats),
        "double": sum("float64" in one for one in formats),
    }
    parts = [_HEAD.format(**counted), "## Estimators\n", _estimators(estimators), "## Steps\n", _STEPS, _steps(steps)]
    return "\n".join([*parts, "## Why not ONNX\n", _reasons(rows)]) + "\n"


_STEPS = "Each before a logistic regression of two classes.\n"


def _estimators(rows: Sequence[dict[str, Any]]) -> str:
    lines: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        lines.setdefault((row["name"], row["task"]), {})[row["kind"]] = measured(row["answer"])
    table = [
        f"| estimator | predicts | {' | '.join(HEADS[kind] for kind in KINDS)} |",
        "|---|---|" + "---|" * len(KINDS),
    ]
    for (name, task), cells in lines.items():
        table.append(f"| {name} | {TASKS[task]} | {' | '.join(cells.get(kind, '') for kind in KINDS)} |")
    return "\n".join(table) + "\n"


def _steps(rows: Sequence[dict[str, Any]]) -> str:
    table = ["| step | of | |", "|---|---|---|"]
    table += [f"| {row['name']} | {HEADS[row['kind']]} | {measured(row['answer'])} |" for row in rows]
    return "\n".join(table) + "\n"


def cell(answer: dict[str, Any]) -> str:
    """The format: `ONNX`, `ONNX, float64`, `skops`, or `none`."""
    if not answer["ok"]:
        return "none"
    value = answer["value"]
    if value["format"] == "skops":
        return "skops" + (f", trusting `{'`, `'.join(value['trusted'])}`" if value["trusted"] else "")
    types = {feed["type"] for feed in value["onnx"]["feeds"]}
    return "ONNX" + (", float64" if "float64" in types else "")


def measured(answer: dict[str, Any]) -> str:
    """The format and what parity measured."""
    if not answer["ok"]:
        return "none"
    parity = answer["value"]["parity"]
    if answer["value"]["format"] != "onnx":
        return answer["value"]["format"]
    apart = parity["largest_difference"] * 1e-5 / parity["tolerance"]
    told = f", {parity['effect_count']} told" if parity["effect_count"] else ""
    return f"{cell(answer)}: {apart:.0e}, {sum(parity['hunted'].values())} hunted{told}"


def _reasons(rows: Sequence[dict[str, Any]]) -> str:
    told = []
    for row in rows:
        if cell(row["answer"]).startswith("ONNX"):
            continue
        tried = row["answer"]["value"]["tried"] if row["answer"]["ok"] else []
        reasons = [_short(one["reason"]) for one in tried if one["format"] == "onnx"] or ["no format"]
        told.append(f"* {row['name']}, {HEADS[row['kind']]}, {TASKS[row['task']]}: {'; '.join(dict.fromkeys(reasons))}")
    return "\n".join(told)


def _short(reason: str) -> str:
    """A converter's error names types of its own, which say nothing to a reader."""
    first = reason.split(" You may raise", maxsplit=1)[0].split(" (type:", maxsplit=1)[0]
    return first.replace("<", "").replace(">", "").replace("|", "\\|")[:160].rstrip(".")
