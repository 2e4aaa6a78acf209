"""`mlops-ci rollback`: back to what ran before."""

from __future__ import annotations

import click

from mlops_ci.cli.moved import shown, way_options
from mlops_ci.cli.options import Session, json_option
from mlops_ci.flows.promote import promote
from mlops_ci.promotion.rules import Way
from mlops_ci.steps.promotion import Wish, usual_way


@click.command(
    help="Go back in ENVIRONMENT to what ran there before. What ran last is quarantined: no promotion installs it "
    "again. Freeze and soak do not hold it back."
)
@click.argument("environment", metavar="ENVIRONMENT")
@click.option("--to", "release", metavar="R", default="", help="Another release than the one before: v3.")
@click.option("--reason", metavar="TEXT", required=True, help="Why: one line, kept with the decision.")
@click.option("--emergency", is_flag=True, help="Go back even where the bundle cannot be tried out; that is recorded.")
@way_options
@click.option("--dry-run", is_flag=True, help="Show what would change and what decides; change nothing.")
@json_option
@click.pass_obj
def command(
    session: Session,
    *,
    environment: str,
    release: str,
    reason: str,
    emergency: bool,
    way: Way | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Run the flow, say what moved or why not."""
    wish = Wish(
        environment=environment,
        release=release,
        way=way or usual_way(session.folder),
        reason=reason,
        back=True,
        emergency=emergency,
    )
    return shown(promote(session.folder, wish, session.say(), dry_run=dry_run), dry_run=dry_run, as_json=as_json)
