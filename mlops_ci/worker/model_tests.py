"""The job `test`: the project's behaviour tests of the model, by its own pytest.

What happens is written as it happens, one JSON line each, so that a test which ends the interpreter is known by name.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from . import fit
from .failures import ADD, Failure, user_code
from .plugin import Recorder

_EMPTY = "[pytest]\n"


def run(request: dict[str, Any]) -> dict[str, Any]:
    """Asks: tests (folder), model, holdout, train, predictions, target, id, task, classes, events (file), scratch."""
    fit.need_pandas("a model test")
    try:
        import pytest
    except ModuleNotFoundError:
        message = "the model tests need pytest, and the project's environment does not have it"
        raise Failure("package", message, ADD.format("pytest")) from None
    from .fixtures import Fixtures

    recorder = Recorder(Path(request["events"]))
    with user_code("the model tests"):
        code = pytest.main(_options(request), plugins=[recorder, Fixtures(request, recorder.write)])
    recorder.write({"event": "finished", "code": int(code)})
    return {"code": int(code)}


def _options(request: dict[str, Any]) -> list[str]:
    """Nothing of the project's own pytest settings counts: its unit tests may want plugins that are not there."""
    scratch = Path(request["scratch"])
    settings = scratch / "pytest.ini"
    settings.write_text(_EMPTY, encoding="utf-8")
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
        os.environ.pop(name, None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    return [
        request["tests"],
        "-c",
        str(settings),
        f"--rootdir={Path.cwd()}",
        f"--confcutdir={Path(request['tests']).resolve()}",
        f"--basetemp={scratch / 'pytest'}",
        "-p",
        "no:cacheprovider",
        "--tb=short",
        "--continue-on-collection-errors",
        "-q",
    ]
