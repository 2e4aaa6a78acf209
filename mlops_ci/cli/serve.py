"""`mlops-ci serve`: a release on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_ci.cli.options import Session, json_option, trust_option
from mlops_ci.flows.serve import Asked, serve


@click.command(help="Serve a release (v3, churn/v3; the newest when left out) or the folder of a bundle.")
@click.argument("bundle", default="", metavar="[BUNDLE]")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="Port to listen at.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 256), help="Processes that answer.")
@click.option(
    "--log",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where every prediction is written; left out: nowhere.",
)
@trust_option
@json_option
@click.pass_obj
def command(
    session: Session,
    *,
    bundle: str,
    host: str,
    port: int,
    workers: int,
    log: Path | None,
    trust: Path | None,
    as_json: bool,  # noqa: ARG001 - what stops it before it serves is told as JSON, by `main`
) -> int:
    """Become the server."""
    logged = ("--log", str(log.resolve())) if log else ()
    options = ("--host", host, "--port", str(port), "--workers", str(workers), *logged)
    serve(session.folder, Asked(bundle=bundle, options=options, trust=trust), session.say())
