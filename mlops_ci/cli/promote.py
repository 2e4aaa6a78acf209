"""`mlops-ci promote`: a release into an environment."""

from __future__ import annotations

import click

from mlops_ci.cli.moved import shown, way_options
from mlops_ci.cli.options import Session, json_option
from mlops_ci.flows.promote import promote
from mlops_ci.promotion.rules import Way
from mlops_ci.steps.promotion import Wish, usual_way


@click.command(
    help="Move a release into ENVIRONMENT: what runs in the one before (`after`), else the newest; its rules and gates "
    "decide."
)
@click.argument("environment", metavar="ENVIRONMENT")
@click.option("--release", metavar="R", default="", help="Another one: v3.")
@way_options
@click.option("--dry-run", is_flag=True, help="Show what would change and what decides; change nothing.")
@json_option
@click.pass_obj
def command(session: Session, *, environment: str, release: str, way: Way | None, dry_run: bool, as_json: bool) -> int:
    """Run the flow, say what moved or why not."""
    wish = Wish(environment=environment, release=release, way=way or usual_way(session.folder))
    return shown(promote(session.folder, wish, session.say(), dry_run=dry_run), dry_run=dry_run, as_json=as_json)
