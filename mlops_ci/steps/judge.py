"""Who decides: the rules at base, or head's where base has none; and how the two differ."""

from __future__ import annotations

from itertools import chain

import msgspec

from mlops_ci import __version__
from mlops_ci.config import waivers, yaml
from mlops_ci.config.judging import GateSetting
from mlops_ci.config.settings import Config
from mlops_ci.data import contract
from mlops_ci.data.contract import Contract
from mlops_ci.edge import files
from mlops_ci.errors import ConfigError
from mlops_ci.evaluation.own import registry
from mlops_ci.gates import grammar, validate
from mlops_ci.gates.gate import Gate
from mlops_ci.records.canonical import digest
from mlops_ci.records.decisions import JudgeRef
from mlops_ci.records.verdicts import Waiver
from mlops_ci.steps.change import is_judge_file, judge_settings
from mlops_ci.steps.declared import declared
from mlops_ci.steps.project import Project
from mlops_ci.steps.promise import divided
from mlops_ci.steps.trees import Tree, tree_at

_SAME_QUESTION = ("task", "data.target", "data.missing_target", "data.id", "data.group", "data.time", "data.split")
"""Where these differ, base's rules are about other rows or another answer and cannot judge head's."""
_NAMES = {"environments": "gates of environments"}


class Judge(msgspec.Struct, frozen=True, kw_only=True):
    """The rules that decide, and head's rules beside them when they differ."""

    tree: Tree
    """Where the rules are read from."""
    gates: tuple[Gate, ...]
    head_gates: tuple[Gate, ...]
    """Empty when head's gates are the same."""
    waivers: tuple[Waiver, ...]
    """Of the same tree: what a commit waives for itself counts only where its own rules decide."""
    environments: dict[str, tuple[Gate, ...]]
    """The gates of environments, of those that have some."""
    source: str
    digest: str
    differences: tuple[str, ...] = ()
    changes: str = ""
    """Why base's rules cannot judge head: the decision is then undecided until an owner agrees."""

    @property
    def every_gate(self) -> tuple[Gate, ...]:
        """Those that decide, head's beside them, and those of environments."""
        return (*self.gates, *self.head_gates, *chain.from_iterable(self.environments.values()))

    def ref(self) -> JudgeRef:
        return JudgeRef(
            commit="" if self.tree.dirty else self.tree.commit,
            digest=self.digest,
            version=__version__,
            source=self.source,
            differences=self.differences,
        )


def choose_judge(head: Tree, base: Tree | None, *, unusable: str = "") -> Judge:
    """Base's rules decide; head's where base has none (`unusable`: why).

    ConfigError for a gate of head or a contract that cannot be read.
    """
    head_gates, of_head = parse_gates(head), environment_gates(head)
    parse_contract(head)
    head_waivers = parse_waivers(head)
    if base is None:
        return Judge(
            tree=head,
            gates=head_gates,
            head_gates=(),
            waivers=head_waivers,
            environments=of_head,
            source="head",
            digest=_digest(head),
            differences=(unusable,) if unusable else (),
        )
    base_gates = parse_gates(base)
    differences = _differences(base, head)
    question = [key for key in _SAME_QUESTION if judge_settings(base)[key] != judge_settings(head)[key]]
    if base.config.project != head.config.project:
        question.append("project")  # another name has no champion and no history
    return Judge(
        tree=base,
        gates=base_gates,
        head_gates=() if _texts(base) == _texts(head) else head_gates,
        waivers=parse_waivers(base),
        environments=environment_gates(base),
        source="base",
        digest=_digest(base),
        differences=differences,
        changes=f"this commit changes what is judged ({', '.join(question)})" if question else "",
    )


def rules_at(project: Project, commit: str) -> str:
    """A digest of the rules at a commit, whatever version of the tool reads them; empty where there are none."""
    try:
        tree = tree_at(project, commit) if commit else None
    except ConfigError as error:
        return f"unreadable: {error.message}"
    return digest({"settings": judge_settings(tree), "files": _file_digests(tree)}) if tree else ""


def parse_gates(tree: Tree) -> tuple[Gate, ...]:
    """The gates of a tree's settings, every one of them readable and possible."""
    return _parsed(tree, "gates", tree.config.gates)


def environment_gates(tree: Tree) -> dict[str, tuple[Gate, ...]]:
    """The gates of each environment that has some, as `parse_gates`."""
    environments = tree.config.environments
    return {
        name: _parsed(tree, f"environments.{name}.gates", each.gates)
        for name, each in environments.items()
        if each.gates
    }


def as_gates(config: Config, key: str, settings: tuple[GateSetting, ...]) -> tuple[Gate, ...]:
    """Gates as they are written under a key of mlops.yaml. ConfigError for one that cannot be read."""
    return tuple(
        grammar.parse(
            setting.text,
            name=setting.name,
            when_undecided=setting.when_undecided,
            where=config.where(f"{key}[{index}]"),
        )
        for index, setting in enumerate(settings)
    )


def _parsed(tree: Tree, key: str, settings: tuple[GateSetting, ...]) -> tuple[Gate, ...]:
    gates = as_gates(tree.config, key, settings)
    validate_in(tree, gates)
    return gates


def validate_in(tree: Tree, gates: tuple[Gate, ...]) -> None:
    """ConfigError for the first gate that could never be judged with a tree's settings."""
    config = tree.config
    validate.validate(
        gates,
        task=config.task,
        slices=config.slices,
        metrics=registry(declared(tree)),
        histories=divided(config),
        anchored=bool(config.anchor),
    )


def contract_text(tree: Tree) -> str | None:
    """The contract of a tree as it is written; None where there is none."""
    name = tree.config.data.contract
    path = tree.root / name
    return yaml.decode(path.read_bytes(), file=name) if path.is_file() else None


def parse_contract(tree: Tree) -> Contract | None:
    """The contract of a tree. ConfigError where it cannot be used."""
    text = contract_text(tree)
    return contract.parse(text, file=tree.config.data.contract) if text is not None else None


def parse_waivers(tree: Tree) -> tuple[Waiver, ...]:
    """The waivers of a tree; none where there is no file. ConfigError where it cannot be used."""
    path = tree.root / waivers.FILE
    return waivers.parse(yaml.decode(path.read_bytes(), file=waivers.FILE)) if path.is_file() else ()


def _texts(tree: Tree) -> list[tuple[str, str]]:
    return [(setting.text, setting.when_undecided) for setting in tree.config.gates]


def _differences(base: Tree, head: Tree) -> tuple[str, ...]:
    old, new = _texts(base), _texts(head)
    lines = [f"gate added: {text}" for text, rule in new if (text, rule) not in old]
    lines += [f"gate removed: {text}" for text, rule in old if (text, rule) not in new]
    before, after = judge_settings(base), judge_settings(head)
    waived = _waiver_differences(parse_waivers(base), parse_waivers(head))
    lines += waived
    if base.config.project != head.config.project:
        lines.append(f"project renamed: {base.config.project} is {head.config.project} now")
    keys = [*before, *(key for key in after if key not in before)]
    lines += [f"{_NAMES.get(key, key)} changed" for key in keys if key != "gates" and before.get(key) != after.get(key)]
    files_before, files_after = _file_digests(base), _file_digests(head)
    for path in sorted(files_before.keys() | files_after.keys()):
        if files_before.get(path) != files_after.get(path) and not (waived and path == waivers.FILE):
            verb = "added" if path not in files_before else "removed" if path not in files_after else "changed"
            lines.append(f"{path} {verb}")
    return tuple(lines)


def _waiver_differences(old: tuple[Waiver, ...], new: tuple[Waiver, ...]) -> list[str]:
    before, after = map(_waiver_lines, (old, new))
    return [f"waiver added: {line}" for line in after if line not in before] + [
        f"waiver removed: {line}" for line in before if line not in after
    ]


def _waiver_lines(found: tuple[Waiver, ...]) -> list[str]:
    return [f"{one.gate} until {one.until} by {one.owner}: {one.reason}" for one in found]


def _file_digests(tree: Tree) -> dict[str, str]:
    judged = [path for path in tree.paths if is_judge_file(tree, path)]
    return {path: files.sha256(tree.root / path) for path in judged if (tree.root / path).is_file()}


def _digest(tree: Tree) -> str:
    return digest({"settings": judge_settings(tree), "files": _file_digests(tree), "version": __version__})
