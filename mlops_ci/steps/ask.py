"""Asks a running server whether it holds a bundle and answers the golden requests as the judged model did."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from mlops_ci.edge.http import plain
from mlops_ci.edge.patience import Time
from mlops_ci.edge.served import Served
from mlops_ci.errors import OutsideError
from mlops_ci.records.bundles import Golden
from mlops_ci.records.served import Named, Reply
from mlops_ci.steps.golden_answers import Expected, Told, Unfit, agreed, held, predictions, read, request
from mlops_ci.steps.image_context import bundle_digest

if TYPE_CHECKING:
    from pathlib import Path

_EACH = 1.0
"""Seconds between two times a server is asked that is not as it should be yet."""
_LINE = 100


class _Serving(msgspec.Struct, frozen=True):
    project: str


class Release(NamedTuple):
    """The bundle that should be served, and what it is called: `v3`, or nothing."""

    name: str
    project: str
    expected: Expected


def served(address: str, token_env: str = "") -> Served:
    """The server at an address, with the token in that variable. UsageError where one of them cannot be used."""
    return Served(address, token_env)


def release_of(bundle: Path, name: str) -> Release:
    """What a bundle's folder says. UsageError where its files are not those of its manifest."""
    digest = bundle_digest(bundle)
    golden = msgspec.json.decode((bundle / "golden.json").read_bytes(), type=Golden)
    serving = msgspec.json.decode((bundle / "serving.json").read_bytes(), type=_Serving)
    return Release(name, serving.project, Expected(digest, golden))


def ask(server: Served, release: Release, wait: float, time: Time | None = None) -> Reply:
    """Ask until it answers as judged, for `wait` seconds at most, but once in any case.

    OutsideError where it could not be asked at the last time either.
    """
    time = time or Time()
    end = time.clock() + wait
    while True:
        try:
            reply = _once(server, release)
            if reply.ok or time.clock() + _EACH > end:
                return reply
        except OutsideError:
            if time.clock() + _EACH > end:
                raise
        time.sleep(_EACH)


def _once(server: Served, release: Release) -> Reply:
    expected, told, reason = release.expected, Told(), ""
    try:
        told = read(_good(server, "/metadata"), Told)
        held(expected, told)  # golden rows are for nobody else
        agreed(expected, told, predictions(_good(server, "/invocations", request(expected.golden))))
    except Unfit as unfit:
        reason = plain(str(unfit))
    return Reply(
        ok=not reason,
        reason=reason,
        address=server.address,
        project=release.project,
        expected=Named(
            release=release.name, digest=f"sha256:{expected.digest}", fingerprint=expected.golden.fingerprint
        ),
        found=Named(
            release=plain(told.release, _LINE),
            digest=plain(told.digest, _LINE),
            fingerprint=plain(told.fingerprint, _LINE),
        ),
        rows=len(expected.golden.rows),
    )


def _good(server: Served, path: str, body: str = "") -> bytes:
    answer = server.ask(path, body)
    if answer.status != 200:
        said = plain(answer.body.decode("utf-8", "replace"), _LINE)
        raise Unfit(f"it answers {path} with {answer.status}{': ' if said else ''}{said}")
    return answer.body
