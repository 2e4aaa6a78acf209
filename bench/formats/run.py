"""Exports many small models, one after the other in one process: `python run.py KIT FOLDER [CASES]`; JSON on stdout.

Runs in the environment whose models are exported.
"""

from __future__ import annotations

import json
import pickle
import re
import sys
import warnings
from pathlib import Path

from bench.formats import estimators, others, steps


def export(kit, folder, model, held, *, task, classes, wanted="auto", trusted=()):
    """The answer of the job; a model that ONNX cannot be is tried again with the types that skops asks for."""
    from mlops_ci.worker import frames, jobs

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    frames.write(held, folder / "features")
    request = {"job": "export", "kit": kit, "model": str(folder / "model.pkl"), "features": str(folder / "features")}
    request |= {"task": task, "classes": classes, "target": "y", "id": [], "nullable": [], "output": str(folder)}
    return jobs.attempt({**request, "format": wanted, "trusted": list(trusted)})


def thin():
    """The part of the matrix that tests make anew; a model of another case is not even exported."""
    return (case for case in estimators.cases() if estimators.thin(*case[:3]))


CASES = {
    "all": estimators.cases,
    "thin": thin,
    "steps": steps.cases,
    "others": others.other_cases,
    "boosters": others.booster_cases,
}


def main(kit, root, cases):
    warnings.simplefilter("ignore")
    rows = []
    for number, (name, kind, task, model, held, target) in enumerate(cases):
        classes = [] if task == "regression" else sorted({str(value).lower() for value in target})
        folder = root / str(number)
        answer = export(kit, folder, model, held, task=task, classes=classes)
        trusted = [] if answer["ok"] else re.findall(r"not trusted: (.*)", answer["failure"]["message"])
        if trusted:
            names = trusted[0].split(", ")
            answer = export(kit, folder, model, held, task=task, classes=classes, trusted=names)
        rows.append({"name": name, "kind": kind, "task": task, "answer": answer})
    print("rows:" + json.dumps(rows))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), CASES[sys.argv[3]]())
