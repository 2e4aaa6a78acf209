"""Environments in mlops.yaml: the order they are written in, windows, and how they are deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.config import freeze
from mlops_ci.config.convert import described

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_ci.config.convert import Problem
    from mlops_ci.config.settings import Config, Environment
    from mlops_ci.config.yaml import Path


def environments(config: Config) -> Iterator[Problem]:
    """What does not fit together in `environments` and `champion`."""
    if config.champion is not None and config.champion not in config.environments:
        known = ", ".join(config.environments) or "none yet"
        yield (
            ("champion",),
            f"there is no environment {config.champion!r}",
            f"Known: {known}. Left out, it is the last in which something runs.",
        )
    above: list[str] = []
    for name, rules in config.environments.items():
        key = ("environments", name)
        if rules.after is not None and rules.after not in above:
            yield (
                (*key, "after"),
                f"{rules.after!r} is no environment that is written before {name}",
                "Name one that stands above it: releases are promoted in the order written.",
            )
        if rules.soak and rules.after is None:
            yield (*key, "soak"), "there is no environment to run in before", f"Name it: {name}: {{after: …, soak: …}}."
        above.append(name)
        yield from _deploy(key, rules)
        for at, text in enumerate(rules.freeze):
            if problem := _unusable_window(text):
                yield (*key, "freeze", at), f"found {text!r}: {problem}", freeze.ALLOWED


def _unusable_window(text: str) -> str:
    try:
        freeze.parse(text)
    except ValueError as error:
        return str(error)
    return ""


def _deploy(key: Path, rules: Environment) -> Iterator[Problem]:
    """A command belongs to `deploy: command`, and to nothing else."""
    if rules.deploy == "command" and rules.command is None:
        advice = "Write what deploys it: command: ./deploy.sh"
        yield (*key, "deploy"), "no command is named", advice
    if rules.command is not None and rules.deploy != "command":
        found = f"deploy is {rules.deploy}" if rules.deploy else "deploy is not set"
        yield (*key, "command"), f"{found}, so nothing would run it", "Write deploy: command, or leave command out."
    if rules.command is not None and (not rules.command.strip() or "\0" in rules.command):
        yield (*key, "command"), f"found {described(rules.command)}", "Allowed: a command for bash."
