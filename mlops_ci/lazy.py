"""Outside libraries that are loaded when they are first used, so that answers from the cache do not wait for them."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType


def library(name: str) -> ModuleType:
    """The module `name`, loaded at the first look at one of its names; ImportError now when it is not installed.

    https://docs.python.org/3/library/importlib.html#implementing-lazy-imports
    """
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        raise ImportError(f"{name} is not installed", name=name)
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
