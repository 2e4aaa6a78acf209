"""Finds the function that mlops.yaml names: `pipeline.train:train`."""

from __future__ import annotations

import difflib
import importlib
import inspect
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .failures import Failure, user_code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

_MODULES_LOOKED_AT = 2_000


def load(entrypoint: str, *, setting: str, arguments: tuple[str, ...]) -> Callable[..., Any]:
    """The function of `module.path:function`, which can be called with as many arguments as named.

    `setting` is the key in mlops.yaml to point at. Raises Failure.
    """
    module_name, _, name = entrypoint.partition(":")
    if not module_name or not name.isidentifier():
        raise Failure("entrypoint", f"{entrypoint!r} is not module:function", where=setting)
    module = _module(module_name, setting)
    function = getattr(module, name, None)
    if function is None:
        raise Failure("entrypoint", f"{module_name} has no {name}", _nearest_name(module, name), where=setting)
    if not callable(function):
        raise Failure("entrypoint", f"{entrypoint} is a {type(function).__name__}, not a function", where=setting)
    _check_arguments(function, entrypoint, setting, arguments)
    return function  # type: ignore[no-any-return]


def _module(name: str, setting: str) -> ModuleType:
    try:
        with user_code(f"importing {name}"):
            try:
                return importlib.import_module(name)
            except ModuleNotFoundError as error:
                if error.name and (name + ".").startswith(error.name + "."):
                    raise Failure(
                        "entrypoint", f"there is no module {name} in the project", _nearest_module(name), where=setting
                    ) from None
                raise
    finally:
        importlib.invalidate_caches()


def _check_arguments(function: Callable[..., Any], entrypoint: str, setting: str, arguments: tuple[str, ...]) -> None:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*arguments)
    except TypeError:
        raise Failure(
            "entrypoint",
            f"{entrypoint} takes {signature}; it is called with ({', '.join(arguments)})",
            where=setting,
        ) from None


def _nearest_name(module: ModuleType, name: str) -> str:
    names = [key for key, value in vars(module).items() if inspect.isfunction(value) and not key.startswith("_")]
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5) or sorted(names)[:5]
    return f"did you mean {', '.join(near)}?" if near else f"define it in {_shown(module)}"


def _shown(module: ModuleType) -> str:
    return Path(module.__file__).name if module.__file__ else module.__name__


def _nearest_module(name: str) -> str:
    near = difflib.get_close_matches(name, list(_modules()), n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"{name.replace('.', '/')}.py was looked for"


def _modules() -> Iterator[str]:
    root = Path(sys.path[0])
    for path in islice(root.glob("**/*.py"), _MODULES_LOOKED_AT):
        parts = path.relative_to(root).with_suffix("").parts
        if all(part.isidentifier() for part in parts) and "site-packages" not in parts:
            yield ".".join(parts)
