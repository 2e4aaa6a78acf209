"""What commands share: the session made of the global options, and `--json`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import click

from mlops_ci.cli.output import Say
from mlops_ci.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Session:
    """Where a command runs, and how it speaks. `colour`: None lets click look at the terminal."""

    folder: Path
    debug: bool
    colour: bool | None

    @classmethod
    def of(cls, folder: Path, *, debug: bool, no_color: bool) -> Session:
        if not folder.is_dir():
            raise UsageError(f"-C {folder}: there is no such folder", "Name a folder that exists.")
        plain = no_color or bool(os.environ.get("NO_COLOR"))
        return cls(folder=folder.resolve(), debug=debug, colour=False if plain else None)

    def say(self) -> Say:
        """Progress lines on stderr."""
        return Say(colour=self.colour)


json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
trust_option = click.option(
    "--trust",
    metavar="KEY",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Open nothing without a signature by this public key (`MLOPS_CI_TRUST`, `package.trust`).",
)
network_option = click.option(
    "--network", metavar="NAME", help="Of the image's build: the daemon's default, else `host`."
)
