"""`mlops-ci image`: the container images of a bundle."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from mlops_ci.cli.options import Session, json_option, network_option
from mlops_ci.cli.output import clean, echo, emit_json
from mlops_ci.errors import ExitCode
from mlops_ci.flows.image import Asked, make_images
from mlops_ci.records.images import TARGETS, Image, Target

bundle_argument = click.argument("bundle", default="", metavar="[BUNDLE]")
target_option = click.option(
    "--target",
    "targets",
    multiple=True,
    type=click.Choice(TARGETS),
    help="Only this one of package.targets, or another.",
)
_TRY: dict[Target, str] = {
    "docker": "docker run --rm --read-only --publish 8000:8000 {name}",
    "lambda": "aws lambda create-function --package-type Image --code ImageUri={name} --function-name … --role …",
    "functions": "docker run --rm --read-only --publish 8080:8080 {name}",
    "batch": 'docker run --rm --read-only --user "$(id -u)" --volume "$PWD:/data" {name} /data/in.csv /data/out.csv',
}


@click.group(
    "image",
    help="The container images of a release (v3, churn/v3; the newest when left out) or of a bundle's folder: one for "
    "each of package.targets.",
)
def command() -> None:
    """Nothing is decided and nothing recorded."""


@command.command("build", help="Build the image and try it out in a container.")
@bundle_argument
@target_option
@network_option
@click.option(
    "--context", metavar="FOLDER", type=click.Path(path_type=Path), help="Only write what another builder reads."
)
@json_option
@click.pass_obj
def build_command(
    session: Session,
    *,
    bundle: str,
    targets: tuple[Target, ...],
    network: str | None,
    context: Path | None,
    as_json: bool,
) -> int:
    """Say what was built, or where its context is."""
    asked = Asked(bundle=bundle, targets=targets, network=network, context=context)
    return _answer(make_images(session.folder, asked, session.say()), context, as_json=as_json)


@command.command("push", help="Build it, try it out, and push it by its digest.")
@bundle_argument
@target_option
@network_option
@json_option
@click.pass_obj
def push_command(
    session: Session, *, bundle: str, targets: tuple[Target, ...], network: str | None, as_json: bool
) -> int:
    """Say where it was pushed."""
    asked = Asked(bundle=bundle, targets=targets, network=network, push=True)
    return _answer(make_images(session.folder, asked, session.say()), None, as_json=as_json)


def _answer(images: tuple[Image, ...], context: Path | None, *, as_json: bool) -> int:
    if as_json:
        emit_json(_document(images) if images else {"context": str(context)})
    elif not images:
        echo(clean(f"{context}: written; nothing was built and nothing tried out"))
        echo(clean(f"  build it       docker buildx build {shlex.quote(str(context))}"))
    elif not images[-1].smoke.ok:  # the others were not pushed either
        _refused(images[-1])
    else:
        for image in images:
            _show(image)
    return ExitCode.PASSED if all(image.smoke.ok for image in images) else ExitCode.REFUSED


def _document(images: tuple[Image, ...]) -> dict[str, object]:
    """That of the first, which is the server's where there is one; and of each by its target."""
    return images[0].document() | {"images": {image.target: image.document() for image in images}}


def _refused(image: Image) -> None:
    target = "" if image.target == "docker" else f"{image.target}: "
    echo(clean(f"refused: {target}{image.smoke.reason}"))
    echo(clean(f"  look at it     docker run --rm {image.built.name}"))


def _show(image: Image) -> None:
    pushed = image.pushed
    echo(clean(f"pushed: {pushed.reference}" if pushed else f"built: {image.built.name}"))
    name = pushed.reference if pushed else image.built.name
    if pushed or image.target != "lambda":  # which AWS takes from a registry only
        echo(clean(f"  try it         {_TRY[image.target].format(name=name)}"))
