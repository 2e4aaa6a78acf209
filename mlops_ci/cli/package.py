"""`mlops-ci package`: a bundle, made ready for another platform."""

from __future__ import annotations

import shlex
from pathlib import Path

import click
import msgspec

from mlops_ci.cli.options import Session, json_option
from mlops_ci.cli.output import clean, echo, emit_json
from mlops_ci.flows.package import Asked, make_package
from mlops_ci.records.targets import Packaged

_NEXT = {
    "lambda": "aws lambda create-function --runtime python{python} --handler lambda_function.lambda_handler"
    " --zip-file fileb://{output}",
    "functions": "gcloud run deploy --function predict --source {output}",
    "compose": "docker compose --project-directory {output} up --build",
}
_HELP = """Make a release (v3, churn/v3) or the folder of a bundle ready for another platform.

\b
lambda     a zip for AWS Lambda, with libraries; checked against its limit
functions  a folder for the Functions Framework (Cloud Run functions, Knative)
compose    a folder with the image's build context and a compose.yaml
"""


@click.command(help=_HELP)
@click.argument("target", type=click.Choice(tuple(_NEXT)))
@click.argument("bundle")
@click.argument("output")
@click.option("--python", metavar="3.N", default="", help="lambda: of its runtime; the bundle's, else the newest.")
@click.option(
    "--architecture",
    type=click.Choice(("x86_64", "arm64")),
    default="x86_64",
    show_default=True,
    help="lambda: of its processors.",
)
@json_option
@click.pass_obj
def command(
    session: Session, *, target: str, bundle: str, output: str, python: str, architecture: str, as_json: bool
) -> int:
    """Say what was written, how large it is, and how it gets there."""
    asked = Asked(target=target, bundle=bundle, output=output, python=python, architecture=architecture)
    made = make_package(session.folder, asked, session.say())
    if as_json:
        emit_json(msgspec.to_builtins(made))
    else:
        _show(made)
    return 0


def _show(made: Packaged) -> None:
    echo(clean(f"written: {made.output}"))
    told = _NEXT[made.target].format(output=shlex.quote(str(Path(made.output))), python=made.python or "3.N")
    echo(clean(f"  next           {told}"))
