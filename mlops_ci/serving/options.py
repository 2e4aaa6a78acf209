"""The command line, and the variables that stand in for it in a container."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from .app import Limits
from .trust import HELP, trusted


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The options; leaves with code 2 where one cannot be used."""
    limits = Limits()
    parser = argparse.ArgumentParser("mlops_ci_serving", description="Serve a bundle over HTTP.", allow_abbrev=False)
    add = parser.add_argument
    add("bundle", type=Path, help="the folder of the bundle")
    add("--check", action="store_true", help="load it, ask the golden requests, print what came of it, and leave")
    add("--digest", default=os.environ.get("MLOPS_CI_DIGEST", ""), help="serve no other bundle (MLOPS_CI_DIGEST)")
    add("--trust", type=Path, default=trusted(), metavar="PEM", help=HELP)
    add("--release", default=os.environ.get("MLOPS_CI_RELEASE", ""), help="its number, as logged (MLOPS_CI_RELEASE)")
    add("--host", default="127.0.0.1", help="address to listen on: 0.0.0.0 in a container")
    add("--port", type=_port, default=8000, help="0 takes a free one")
    add("--workers", type=_positive, default=1, help="processes that answer")
    add("--token-env", default="", metavar="NAME", help="the variable with the bearer token to ask for")
    add("--log", type=Path, default=os.environ.get("MLOPS_CI_LOG"), help="folder of the prediction log (MLOPS_CI_LOG)")
    add("--log-sample", type=_share, default=1.0, metavar="SHARE", help="share of requests that are logged")
    add("--log-required", action="store_true", help="answer nothing that cannot be logged")
    add("--max-rows", type=_positive, default=limits.rows, help="rows a request")
    add("--max-bytes", type=_positive, default=limits.bytes, help="bytes a request, inflated too")
    add("--timeout", type=_positive, default=30, help="seconds in which a request must have arrived whole")
    add("--drain", type=float, default=1.0, help="seconds between saying not ready and taking no more requests")
    options = parser.parse_args(arguments)
    if options.token_env and not os.environ.get(options.token_env):
        parser.error(f"--token-env: the variable {options.token_env} is not set")
    return options


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port from 0 to 65535")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 < share <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share above 0 and up to 1")
    return share
