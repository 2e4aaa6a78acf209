"""`mlops-ci image`: the container image of a bundle."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from mlops_ci.cli.options import Session, json_option, network_option
from mlops_ci.cli.output import clean, echo, emit_json
from mlops_ci.errors import ExitCode
from mlops_ci.flows.image import Asked, make_image
from mlops_ci.records.images import Image

bundle_argument = click.argument("bundle", default="", metavar="[BUNDLE]")


@click.group(
    "image", help="The container image of a release (v3, churn/v3; the newest when left out) or of a bundle's folder."
)
def command() -> None:
    """Nothing is decided and nothing recorded."""


@command.command("build", help="Build the image and try it out in a container.")
@bundle_argument
@network_option
@click.option(
    "--context", metavar="FOLDER", type=click.Path(path_type=Path), help="Only write what another builder reads."
)
@json_option
@click.pass_obj
def build_command(session: Session, *, bundle: str, network: str | None, context: Path | None, as_json: bool) -> int:
    """Say what was built, or where its context is."""
    asked = Asked(bundle=bundle, network=network, context=context)
    return _answer(make_image(session.folder, asked, session.say()), context, as_json=as_json)


@command.command("push", help="Build it, try it out, and push it by its digest.")
@bundle_argument
@network_option
@json_option
@click.pass_obj
def push_command(session: Session, *, bundle: str, network: str | None, as_json: bool) -> int:
    """Say where it was pushed."""
    asked = Asked(bundle=bundle, network=network, push=True)
    return _answer(make_image(session.folder, asked, session.say()), None, as_json=as_json)


def _answer(image: Image | None, context: Path | None, *, as_json: bool) -> int:
    if as_json:
        emit_json({"context": str(context)} if image is None else image.document())
    elif image is None:
        echo(clean(f"{context}: written; nothing was built and nothing tried out"))
        echo(clean(f"  build it       docker buildx build {shlex.quote(str(context))}"))
    else:
        _show(image)
    return ExitCode.PASSED if image is None or image.smoke.ok else ExitCode.REFUSED


def _show(image: Image) -> None:
    if not image.smoke.ok:
        echo(clean(f"refused: {image.smoke.reason}"))
        echo(clean(f"  look at it     docker run --rm {image.built.name}"))
        return
    pushed = image.pushed
    echo(clean(f"pushed: {pushed.reference}" if pushed else f"built: {image.built.name}"))
    name = pushed.reference if pushed else image.built.name
    echo(clean(f"  try it         docker run --rm --read-only --publish 8000:8000 {name}"))
