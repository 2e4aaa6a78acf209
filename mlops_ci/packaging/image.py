"""The image of a bundle as text: its Dockerfile, its labels, and which file goes into which layer."""

from __future__ import annotations

import re
from typing import NamedTuple

from mlops_ci.records.images import BASE, ImageNames, Target
from mlops_ci.render import render, templates

PORT = 8000
"""Of the server."""
TIME = 315_532_800
"""Of every file, seconds since 1970: 1980-01-01. Not the commit's: layers that two releases share stay the same."""

INDEXES = ("UV_DEFAULT_INDEX", "UV_INDEX", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL")
"""Variables that say where packages come from; told to the stage that installs, which is not part of the image."""

KEY = "kit/trust.pub"
"""Where the public key of who signs lies in the build context."""
_TRUST = f"/{KEY}"
_RUNTIME = "serve/"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class Place(NamedTuple):
    """What an image has and runs for its target: all else is the same."""

    entrypoint: str
    """As JSON, like `command`; so a shell has no part in it."""
    command: str = ""
    kit: str = ""
    """The part of the runtime whose lock is laid beside the bundle's libraries."""
    port: int | None = None
    """None: nothing listens."""
    variables: str = ""


PLACES: dict[Target, Place] = {
    "docker": Place(
        f'["python3", "-P", "-m", "mlops_ci_serving", "/bundle", "--host", "0.0.0.0", "--port", "{PORT}"]', port=PORT
    ),
    "lambda": Place('["python3", "-P", "-m", "awslambdaric"]', '["mlops_ci_serving.aws.handler"]', kit="aws"),
    "functions": Place(
        '["python3", "-P", "-m", "functions_framework", "--target", "predict", "--source", "/kit/main.py"]',
        kit="functions",
        port=8080,
        # Gunicorn writes a heartbeat somewhere: where the root is read-only, in memory.
        variables="PORT=8080 TMPDIR=/dev/shm",
    ),
    "batch": Place('["python3", "-P", "-m", "mlops_ci_serving.batch", "/bundle"]', kit="batch"),
}


def dockerfile(base: str, target: Target = "docker", *, trusts: bool = False) -> str:
    """The Dockerfile of any bundle for a target, on a base that is named by its digest.

    `trusts`: it opens no bundle but one signed by the key in its context, and has what checks that.
    """
    place, trust = PLACES[target], _TRUST if trusts else ""
    kit = bool(place.kit) or trusts
    return render("image/Dockerfile", base=base, arguments=INDEXES, time=TIME, place=place, kit=kit, trust=trust)


def trusting(text: str) -> str:
    """A Dockerfile of the project's own whose image opens no bundle but one signed by the key in its context.

    What checks that, it has to install itself: without it nothing is served.
    """
    return f"{text.rstrip()}\n\nCOPY {KEY} {_TRUST}\nENV MLOPS_CI_TRUST={_TRUST}\n"


def installer() -> bytes:
    """The lock of uv, which installs the libraries."""
    return (templates() / "image" / "uv.lock").read_bytes()


def place(path: str) -> str:
    """Where a file of the bundle lies in the build context."""
    return f"{'runtime' if path.startswith(_RUNTIME) else 'model'}/bundle/{path}"


def labels(names: ImageNames, base: str, target: Target = "docker") -> dict[str, str]:
    """What is known of the image, by https://github.com/opencontainers/image-spec/blob/main/annotations.md."""
    found = BASE.fullmatch(base)
    known = {
        "org.opencontainers.image.title": names.project,
        "org.opencontainers.image.version": names.release,
        "org.opencontainers.image.revision": names.commit,
        "org.opencontainers.image.created": names.created,
        "org.opencontainers.image.base.name": found["name"] if found else "",
        "org.opencontainers.image.base.digest": found["digest"] if found else "",
        "dev.mlops-ci.bundle": f"sha256:{names.bundle}",
        "dev.mlops-ci.decision": names.decision,
        "dev.mlops-ci.target": target,
    }
    return {name: value for name, value in known.items() if value}


def labelled(text: str, values: dict[str, str]) -> str:
    """A Dockerfile with these labels at its end; whatever the values hold, they stay values."""
    lines = " \\\n".join(f"      {name}={_quoted(value)}" for name, value in sorted(values.items()))
    return f"{text.rstrip()}\n\nLABEL {lines.lstrip()}\n"


def _quoted(value: str) -> str:
    """In quotes, a backslash takes the meaning from what follows (https://docs.docker.com/reference/dockerfile/)."""
    plain = _CONTROL.sub(" ", value)
    return '"' + re.sub(r'([\\"$])', r"\\\1", plain) + '"'
