"""`python -s main.py REQUEST`: run the suites on the frames of the request and write the answer where it says.

Run by path. The hand-over format is read by the neighbour room `worker`, loaded by path too, so that it is
written down once.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import os
import socket
import sys
import threading
import time
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

_HERE = Path(__file__).resolve().parent
_PAUSE = 0.2
_NICE = 10
_LONGEST = 4_000


def load(folder: Path, package: str, module: str) -> ModuleType:
    """A module of a folder of ours, as part of a package whose name nobody else uses."""
    if package not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            package, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        if spec is None or spec.loader is None:
            raise ImportError(f"{folder} cannot be loaded")
        sys.modules[package] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[package])
    return importlib.import_module(f"{package}.{module}")


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """What the conditions say, or why nothing can be said."""
    try:
        reading = _HERE.parent / "worker"
        frames = load(reading, "_mlops_ci_worker", "frames")
        classes = load(reading, "_mlops_ci_worker", "classes")
        suites = load(_HERE, "_mlops_ci_deepchecks", "suites")
        return {"conditions": suites.run(request, frames=frames, class_text=classes.class_text)}
    except Exception as error:  # noqa: BLE001 - whatever deepchecks raises is the answer
        told = traceback.format_exc()[-_LONGEST:]
        return {"failure": f"{type(error).__name__}: {error}"[:_LONGEST], "details": told}


def no_network() -> None:
    """Every look-up and connection is an error, whatever a library wants to tell at home."""

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.getaddrinfo":
            raise OSError(f"no network here: {arguments[0]}")
        if event == "socket.connect" and arguments[0].family != getattr(socket, "AF_UNIX", None):
            raise OSError(f"no network here: {arguments[1]}")

    sys.addaudithook(refuse)


def let_others_go_first() -> None:
    """The training beside this has the cores: its threads wait for each other, so a busy core stops all of them."""
    os.nice(_NICE)
    with contextlib.suppress(OSError):  # where Linux shares time by session, this is what counts (man 7 sched)
        Path("/proc/self/autogroup").write_text(str(_NICE), encoding="ascii")


def end_when_nobody_waits(stop: Path) -> None:
    """End the process when `stop` appears or the tool is gone."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent and not stop.exists():
            time.sleep(_PAUSE)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def main(request_file: str) -> None:
    """Read the request, run, write the answer as a whole."""
    request = json.loads(Path(request_file).read_text(encoding="utf-8"))
    end_when_nobody_waits(Path(request["stop"]))
    let_others_go_first()
    no_network()
    target = Path(request["answer"])
    beside = target.with_suffix(".part")
    beside.write_text(json.dumps(answer(request)), encoding="utf-8")
    beside.replace(target)


if __name__ == "__main__":
    del sys.path[0]  # the neighbours are loaded by path: none of them hides a module of deepchecks
    main(sys.argv[1])
