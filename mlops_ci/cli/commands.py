"""The table of commands: each module is imported when its command runs, and holds it as `command`."""

from __future__ import annotations

COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("mlops_ci.cli.init", "Write what a first check needs"),
    "check": ("mlops_ci.cli.check", "Judge data and model of this commit"),
    "record": ("mlops_ci.cli.record", "Judge a run again and write it to the ledger"),
    "release": ("mlops_ci.cli.release", "Package the model of a commit that passed, and give it a number"),
    "promote": ("mlops_ci.cli.promote", "Move a release into an environment"),
    "rollback": ("mlops_ci.cli.rollback", "Go back to what ran before, and keep out what ran last"),
    "status": ("mlops_ci.cli.status", "What runs where, and since when"),
    "why": ("mlops_ci.cli.why", "The chain of reasons behind what runs"),
    "reproduce": ("mlops_ci.cli.reproduce", "Train a release's model again, and compare"),
    "verify": ("mlops_ci.cli.verify", "Recompute what was decided, and say what does not hold"),
    "serve": ("mlops_ci.cli.serve", "Serve a release on this machine"),
    "score": ("mlops_ci.cli.score", "Score files with a release: CSV and Parquet, of any size"),
    "ask": ("mlops_ci.cli.ask", "Ask a running server whether it answers as the judged model"),
    "image": ("mlops_ci.cli.image", "The container images of a release: build, try out, push"),
    "package": ("mlops_ci.cli.package", "A release for AWS Lambda, the Functions Framework or compose"),
    "prune": ("mlops_ci.cli.prune", "Make room: what nothing needs any more"),
    "history": ("mlops_ci.cli.history", "What was decided"),
    "report": ("mlops_ci.cli.report", "Read the report of a decision"),
    "rows": ("mlops_ci.cli.rows", "The rows behind a gate, a slice or a change"),
    "data": ("mlops_ci.cli.data", "Look at the data: profile, diff, contract, validate"),
    "gates": ("mlops_ci.cli.gates", "What the gates can decide with the rows there are"),
    "explain": ("mlops_ci.cli.explain", "What a gate, a check or a term means"),
    "waive": ("mlops_ci.cli.waive", "Let a gate through for a while, with reason, owner and end"),
    "config": ("mlops_ci.cli.config", "The settings in effect, their schema, their reference"),
    "doctor": ("mlops_ci.cli.doctor", "Is everything in place, and how to mend it"),
    "workflows": ("mlops_ci.cli.workflows", "The generated workflows: write, compare, update"),
    "upgrade": ("mlops_ci.cli.upgrade", "The newest mlops-ci: its lock and its workflows in one change"),
    "eject": ("mlops_ci.cli.eject", "Leave: what goes, and what stays without it"),
    "ci": ("mlops_ci.cli.ci", "The steps of the generated workflows"),
    "demo": ("mlops_ci.cli.demo", "A throw-away repository that shows it all"),
}

HERE = "mlops_ci.cli.here"
"""What the bare command runs."""
