"""`python -s main.py REQUEST`: run one job in the project's environment and write the answer beside the request.

Run by path. Its neighbours are loaded as a package with a name nobody else uses, since a project may
well have a `predict.py` or a `frames.py` of its own.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from typing import Any

PACKAGE = "_mlops_ci_worker"


def load() -> Any:
    """The module `jobs`, with everything it needs from the standard library imported before user code can shadow it."""
    folder = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib is not needed here
    spec = importlib.util.spec_from_file_location(
        PACKAGE,
        os.path.join(folder, "__init__.py"),  # noqa: PTH118
        submodule_search_locations=[folder],
    )
    assert spec is not None  # noqa: S101
    assert spec.loader is not None  # noqa: S101
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)
    return importlib.import_module(PACKAGE + ".jobs")


def die_with_parent() -> None:
    """A tool that is killed cannot stop us: on Linux the kernel does (man 2 prctl, PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        try:
            import ctypes

            ctypes.CDLL(None).prctl(1, 9)
        except (ImportError, OSError, AttributeError):  # a Python without ctypes, a C library without prctl
            return


if __name__ == "__main__":
    die_with_parent()
    jobs = load()
    # The script's own folder comes first otherwise: the project's must.
    sys.path[0] = os.getcwd()  # noqa: PTH109
    jobs.run(sys.argv[1])
