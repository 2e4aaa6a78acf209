"""A project with a bundle, and the command line as a person uses it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mlops_ci.cli import main
from tests import helpers
from tests.docker import bundles

if TYPE_CHECKING:
    import pytest

_SETTINGS = """\
version: 1
project: lines
task: regression
data: {{sources: {{rows: rows.csv}}, target: y}}
package:
  image: {image}
  base: {base}
"""


class Said(NamedTuple):
    """What a command left with, printed on stdout and on stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Project:
    """A repository at `root` whose mlops.yaml names image and base; `bundle`: a folder beside it."""

    def __init__(self, root: Path, *, image: str, base: str, more: str = "") -> None:
        self.root, self.image, self.base = root, image, base
        helpers.repo(root, {"mlops.yaml": _SETTINGS.format(image=image, base=base) + more})
        self.bundle = bundles.make(root.parent / "bundle")

    def package(self, **settings: object) -> None:
        """Set keys of `package`."""
        lines = "".join(f"  {name}: {json.dumps(value)}\n" for name, value in settings.items())
        with (self.root / "mlops.yaml").open("a") as file:
            file.write(lines)

    def run(self, capsys: pytest.CaptureFixture[str], *arguments: str, of: str | None = None) -> Said:
        """`mlops-ci -C ROOT image ...`, of the bundle or of a release, on the network of this machine."""
        capsys.readouterr()
        command, *options = arguments
        code = main(["-C", str(self.root), "image", command, of or str(self.bundle), "--network", "host", *options])
        return Said(code, *capsys.readouterr())
