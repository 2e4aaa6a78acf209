"""skops: the estimator's parts, which loading builds only of types that somebody trusts."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

from .attempt import Chosen, Judged, Refused, first_line

FILE = "model.skops"
NOT_TRUSTED = "not trusted: "
_SCHEMA = "schema.json"


def write(judged: Judged, request: dict[str, Any]) -> Chosen:
    """Raises Refused, naming the types to trust where these are what is missing."""
    import skops.io

    try:
        content = stable(skops.io.dumps(judged.model))
        unknown = sorted(skops.io.get_untrusted_types(data=content))
    except Exception as error:  # noqa: BLE001 - of a model's own state
        raise Refused(f"{type(error).__name__}: {first_line(error)}") from None
    lacking = [name for name in unknown if name not in request["trusted"]]
    if lacking:
        raise Refused(NOT_TRUSTED + ", ".join(lacking))
    try:
        again = skops.io.loads(content, trusted=unknown)
    except Exception as error:  # noqa: BLE001 - as above
        raise Refused(f"it cannot be loaded again: {type(error).__name__}: {first_line(error)}") from None
    parity = judged.compare(again)
    (Path(request["output"]) / FILE).write_bytes(content)
    return Chosen(FILE, parity, more={"trusted": unknown})


def stable(content: bytes) -> bytes:
    """The same file with the same bytes for the same model: skops names its parts by where they were in memory."""
    with zipfile.ZipFile(io.BytesIO(content)) as given:
        schema = json.loads(given.read(_SCHEMA))
        numbers: dict[int, int] = {}
        names: dict[str, str] = {}
        _renumber(schema, numbers, names, set(given.namelist()))
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
            for old, new in names.items():
                target.writestr(_member(new), given.read(old))
            target.writestr(_member(_SCHEMA), json.dumps(schema, separators=(",", ":")))
    return made.getvalue()


def _renumber(node: Any, numbers: dict[int, int], names: dict[str, str], members: set[str]) -> None:
    """Ids and names of members, counted in the order in which they appear. A user's own keys hold nodes, not these."""
    pending = [node]
    while pending:
        part = pending.pop()
        if isinstance(part, list):
            pending += reversed(part)
            continue
        if not isinstance(part, dict):
            continue
        if isinstance(part.get("__id__"), int):
            part["__id__"] = numbers.setdefault(part["__id__"], len(numbers) + 1)
        file = part.get("file")
        if isinstance(file, str) and file in members:
            part["file"] = names.setdefault(file, f"{len(names) + 1}{PurePosixPath(file).suffix}")
        pending += reversed(part.values())


def _member(name: str) -> zipfile.ZipInfo:
    """Of no time and no machine."""
    member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    member.compress_type = zipfile.ZIP_DEFLATED
    member.create_system, member.external_attr = 3, 0o644 << 16
    return member
