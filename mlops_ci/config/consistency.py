"""What single keys cannot say: keys that need or exclude each other, paths that leave the project, and "not yet"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlops_ci.config.convert import Problem, refuse
from mlops_ci.config.environment_rules import environments
from mlops_ci.config.judging import SLOW_CHECKS, GateSetting
from mlops_ci.config.settings import RUNGS, Config, Package
from mlops_ci.config.yaml import Document, Path
from mlops_ci.records.images import BASE, REPOSITORY, TAGGED
from mlops_ci.records.stores import ALLOWED, store_place

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_TABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_METRIC = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FUNCTION = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
_DECISION = re.compile(r"[0-9a-f]{4,64}")
_CLAIM = re.compile(r"@|\+/-|±")
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def check(config: Config, document: Document) -> None:
    """ConfigError for the first thing that does not fit together."""
    checks = (
        _columns,
        _sources,
        _split,
        _train,
        _paths,
        _names,
        _runner,
        _metrics,
        _checks,
        environments,
        _anchor,
        _guarantee,
        _package,
        _store,
        _not_yet,
    )
    for found in checks:
        for path, message, advice in found(config):
            refuse(document, path, message, advice)


def _columns(config: Config) -> Iterator[Problem]:
    data = config.data
    uses = {"id": data.id, "group": data.group, "time": (data.time,)}
    for key, names in uses.items():
        if data.target in names:
            yield ("data", key), f"{data.target!r} is the target", "The target must not name, group or order rows."
    if data.target in config.slices:
        yield ("slices",), f"{data.target!r} is the target", "Slice by what is known before the answer."


def _sources(config: Config) -> Iterator[Problem]:
    data = config.data
    if not data.sources:
        yield ("data", "sources"), "no source is named", "Write sources: {rows: data/rows.csv}."
    for name in data.sources:
        if not _TABLE.fullmatch(name):
            yield (
                ("data", "sources", name),
                f"{name!r} cannot be a table's name",
                "Allowed: letters, digits and `_`, not starting with a digit.",
            )
    prepare = data.prepare
    if prepare is None and len(data.sources) > 1:
        yield (
            ("data", "sources"),
            f"{len(data.sources)} sources and no data.prepare",
            "Name a .sql file or module:function that joins them into one table.",
        )
    if prepare and not prepare.endswith(".sql") and not _FUNCTION.fullmatch(prepare):
        yield ("data", "prepare"), f"found {prepare!r}", "Allowed: a .sql file, or module:function."


def _split(config: Config) -> Iterator[Problem]:
    data, by = config.data, config.data.split.by
    needed = {"group": data.group, "time": data.time, "column": data.split.columns}
    if by in needed and not needed[by]:
        key = "data.split.columns" if by == "column" else f"data.{by}"
        yield ("data", "split", "by"), f"the split is by {by} and {key} is not set", f"Name the column in {key}."
    if by == "column" and len(data.split.columns) > 1:
        yield ("data", "split", "columns"), "more than one column", "Name the one that says train or holdout."
    if data.split.columns and by != "column":
        yield ("data", "split", "columns"), f"the split is by {by}", "Write by: column, or leave columns out."
    if data.target in data.split.columns:
        yield (
            ("data", "split", "columns"),
            f"{data.target!r} is the target",
            "Split by what is known before the answer.",
        )


def _train(config: Config) -> Iterator[Problem]:
    train = config.train
    if train is None:
        return
    rungs = [name for name in RUNGS if getattr(train, name) is not None]
    if len(rungs) != 1:
        found = f"found {' and '.join(rungs)}" if rungs else "none of the ways to train is set"
        yield ("train",), found, f"Allowed: exactly one of {' | '.join(RUNGS)}."
    if train.entrypoint and not _FUNCTION.fullmatch(train.entrypoint):
        yield (
            ("train", "entrypoint"),
            f"found {train.entrypoint!r}",
            "Allowed: module:function, for example pipeline.train:train.",
        )
    if train.command and not train.output:
        yield ("train", "command"), "train.output is not set", "Name the file or MLflow folder that the command writes."
    if train.output and not train.command:
        yield ("train", "output"), "train.command is not set", "output belongs to command: what it writes."
    if train.params and not train.entrypoint and not train.command:
        yield ("train", "params"), "nothing is trained with them", "params belongs to entrypoint or command."


def _paths(config: Config) -> Iterator[Problem]:
    train = config.train
    inside: dict[Path, str | None] = {("data", "sources", name): path for name, path in config.data.sources.items()}
    inside[("data", "contract")] = config.data.contract
    inside |= {("package", "dockerfile"): config.package.dockerfile, ("package", "trust"): config.package.trust}
    if config.data.prepare and config.data.prepare.endswith(".sql"):
        inside[("data", "prepare")] = config.data.prepare
    if train:
        inside |= {("train", "params"): train.params, ("train", "output"): train.output}
        inside[("train", "predictions")] = train.predictions
    for path, text in inside.items():
        if text and _SCHEME.match(text):
            yield path, f"not yet: {text!r} is not a file here", "Bring it into the project's folder and name the file."
        elif text and (_absolute(text) or ".." in text.replace("\\", "/").split("/")):
            yield path, f"{text!r} leaves the project", "Paths are relative to the folder of mlops.yaml and stay in it."
    for at, text in enumerate(config.watch):
        if _absolute(text):
            yield ("watch", at), f"{text!r} is absolute", "Write it relative to the folder of mlops.yaml: ../shared."


def _absolute(text: str) -> bool:
    return text.startswith(("/", "~", "\\")) or text[1:2] == ":"


def _names(config: Config) -> Iterator[Problem]:
    for name in config.environments:
        if not _NAME.fullmatch(name):
            yield ("environments", name), f"{name!r} cannot be a name", "Allowed: small letters, digits and `-`."
    lists: dict[Path, tuple[GateSetting, ...]] = {("gates",): config.gates}
    lists |= {("environments", name, "gates"): each.gates for name, each in config.environments.items()}
    for path, gates in lists.items():
        titles = [gate.name or gate.text for gate in gates]
        for at, title in enumerate(titles):
            if title in titles[:at]:
                yield (*path, at), f"the gate {title!r} is there twice", "Keep one, or give one another name."


def _runner(config: Config) -> Iterator[Problem]:
    if not config.runner.labels:
        yield ("runner", "labels"), "no runner is named", "Write one, such as ubuntu-24.04, or leave the key out."
    for at, label in enumerate(config.runner.labels):
        if not _LABEL.fullmatch(label):
            yield ("runner", "labels", at), f"found {label!r}", "Allowed: letters, digits, `.`, `_`, `-`."
    for at, command in enumerate(config.runner.setup):
        if not command.strip() or "\0" in command:
            yield ("runner", "setup", at), f"found {command!r}", "Allowed: a command for bash."
    for at, name in enumerate(config.runner.secrets):
        if not _VARIABLE.fullmatch(name):
            yield ("runner", "secrets", at), f"found {name!r}", "Allowed: the name of an environment variable."
        if name.upper().startswith("GITHUB_"):
            yield ("runner", "secrets", at), f"found {name!r}", "No secret may begin with GITHUB_: name it otherwise."


def _metrics(config: Config) -> Iterator[Problem]:
    for name, metric in config.metrics.items():
        if not _METRIC.fullmatch(name):
            advice = "Allowed: letters, digits and `_`, starting with a letter, at most 63."
            yield ("metrics", name), f"{name!r} cannot be a metric's name", advice
        if not _FUNCTION.fullmatch(metric.function):
            yield ("metrics", name), f"found {metric.function!r}", "Allowed: module:function."


def _checks(config: Config) -> Iterator[Problem]:
    for at, name in enumerate(config.checks.slow):
        if name not in SLOW_CHECKS:
            yield ("checks", "slow", at), f"found {name!r}", f"Allowed: {', '.join(SLOW_CHECKS)}."


def _anchor(config: Config) -> Iterator[Problem]:
    if config.anchor is not None and not _DECISION.fullmatch(config.anchor):
        advice = "Allowed: 4 to 64 of the digits of a commit or a decision's id, as `mlops-ci history` shows them."
        yield ("anchor",), f"found {config.anchor!r}", advice


def _guarantee(config: Config) -> Iterator[Problem]:
    """statistics.md 2: a report that shows numbers tells later models far more than one bit."""
    promised, key = config.holdout.guarantee, ("holdout", "guarantee")
    if promised == "none":
        return
    if promised.adaptivity != "none" and promised.disclose == "full":
        yield (
            (*key, "adaptivity"),
            f"{promised.adaptivity} cannot hold with disclose: full, as numbers tell later models more than a verdict",
            "Write adaptivity: none (it holds for models not chosen by reading these reports), or disclose: verdict.",
        )
    if promised.disclose == "verdict":
        yield from _one_answer(config)
    if not config.data.id:
        yield (
            key,
            "data.id is not set: rows that have no name cannot be followed from decision to decision",
            "Name the columns that tell rows apart in data.id, or write guarantee: none.",
        )


def _one_answer(config: Config) -> Iterator[Problem]:
    """With `disclose: verdict` all gates with a confidence have one answer, and it is passed or not passed."""
    for at, gate in enumerate(config.gates):
        if gate.when_undecided != "refuse" and _CLAIM.search(gate.text):
            found = (
                f"{gate.when_undecided} would tell an undecided gate from a failed one, and disclose: verdict does not"
            )
            yield ("gates", at, "when_undecided"), found, "Leave it out, or write disclose: full."
    for name, environment in config.environments.items():
        for at, gate in enumerate(environment.gates):
            if _CLAIM.search(gate.text):
                found = "with disclose: verdict a gate of an environment would be another answer about the same rows"
                advice = "Judge the value that is seen (leave out `@ …`), or move the gate to `gates:`."
                yield ("environments", name, "gates", at), found, advice


def _package(config: Config) -> Iterator[Problem]:
    package = config.package
    if package.image is not None and not REPOSITORY.fullmatch(package.image):
        advice = "Allowed: registry and repository in small letters, without tag or digest: ghcr.io/acme/flights."
        yield ("package", "image"), f"found {package.image!r}", advice
    if package.base is not None and not BASE.fullmatch(package.base):
        name = package.base.partition("@")[0]
        advice = "Name it by its digest, as a tag may be another image tomorrow"
        shown = f"; `docker buildx imagetools inspect {name}` shows it" if TAGGED.fullmatch(name) else ""
        yield ("package", "base"), f"found {package.base!r}", f"{advice}: python:3.12-slim@sha256:…{shown}."
    yield from _targets(package)


def _targets(package: Package) -> Iterator[Problem]:
    if not package.targets:
        yield ("package", "targets"), "it names nothing", "Leave it out: the image is that of the server, docker."
    for at, target in enumerate(package.targets):
        if target in package.targets[:at]:
            yield ("package", "targets", at), f"{target!r} is there twice", "Name each once."
        elif package.dockerfile and target != "docker":
            advice = "Leave out package.dockerfile, or build from your own with targets: [docker]."
            yield ("package", "targets", at), f"package.dockerfile makes the image of docker, not of {target}", advice


def _store(config: Config) -> Iterator[Problem]:
    if store_place(config.store) is None:
        yield ("store",), f"found {config.store!r}", f"Allowed: {ALLOWED}."


def _not_yet(config: Config) -> Iterator[Problem]:
    """Keys of later versions: setting them would promise what nothing computes."""
    leave = "Leave it out for now."
    for name, rules in config.environments.items():
        if rules.deploy == "command":
            yield ("environments", name, "deploy"), "not yet: nothing runs its command", leave
    if config.train and config.train.search:
        yield ("train", "search"), "not yet: nothing searches", f"{leave} Set the parameters in train.params."
