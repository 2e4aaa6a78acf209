"""Locks in pip's format with hashes: read, thinned to what some libraries need, and put together into one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

import msgspec

from mlops_ci.errors import ConfigError

_PIN = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*==\s*(?P<version>[^\s;\\]+)(?P<marker>[^#]*)")
_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_HASH = re.compile(r"--hash=(\S+)")
_INDEX = re.compile(r"(--index-url|-i|--extra-index-url|--find-links|-f)[ =]+(\S+)")
_GOES_ON = "\\"
_HEAD = "# What serving needs, and the project's own libraries that the model needs, as the project locked them.\n"


class Locked(msgspec.Struct, frozen=True, kw_only=True):
    """One requirement of a lock. A name stands there more than once where versions differ by marker."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]
    needed_by: tuple[str, ...]
    """As the comments of uv say: `# via uvicorn`."""

    @property
    def text(self) -> str:
        """As a lock has it."""
        marker = f" ; {self.marker}" if self.marker else ""
        return " \\\n    ".join([f"{self.name}=={self.version}{marker}", *(f"--hash={one}" for one in self.hashes)])


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """`others`: names that stand there without a version, such as one that is fetched from an address."""

    file: str
    pins: tuple[Locked, ...]
    indexes: tuple[str, ...] = ()
    """Lines that say where packages come from beside the usual index, without credentials."""
    others: tuple[str, ...] = ()

    def of(self, name: str) -> tuple[Locked, ...]:
        """What stands there for a library."""
        return tuple(pin for pin in self.pins if pin.name == name)


def plain(name: str) -> str:
    """The name of a distribution as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read(text: str, file: str) -> Lock:
    """What a lock says; file: its name, for what is told of it."""
    pins, indexes, others = [], [], []
    for line, comments in _logical(text):
        if match := _PIN.fullmatch(line.partition("--hash=")[0].strip()):
            pins.append(
                Locked(
                    name=plain(match["name"]),
                    version=match["version"],
                    marker=match["marker"].strip().removeprefix(";").strip(),
                    hashes=tuple(sorted(_HASH.findall(line))),
                    needed_by=tuple(plain(name) for name in comments if _REQUIREMENT.fullmatch(name)),
                )
            )
        elif match := _INDEX.match(line):
            indexes.append(f"{match[1]} {_without_credentials(match[2])}")
        elif match := _REQUIREMENT.match(line):
            others.append(plain(match[0]))
    return Lock(file=file, pins=tuple(pins), indexes=tuple(indexes), others=tuple(others))


def needed(lock: Lock, roots: Iterable[str]) -> Lock:
    """The part of a lock that these libraries need, by the comments of uv."""
    found, wanted = set[str](), set(roots)
    while wanted - found:
        found |= wanted
        wanted = {pin.name for pin in lock.pins if found & set(pin.needed_by)}
    return msgspec.structs.replace(lock, pins=tuple(pin for pin in lock.pins if pin.name in found))


def merged(serving: Iterable[Lock], project: Lock, libraries: Iterable[str], *, ranges: Mapping[str, str]) -> str:
    """One lock: what serving needs, and these libraries of the project in the versions the project has them.

    ranges: library of the runtime -> the versions it works with, `>=0.20` or `==0.16.0`. ConfigError where the project
    has another one, and where it does not lock what the model needs.
    """
    own = {name: _of_project(project, name) for name in libraries}
    for name, found in own.items():
        for pin in found:
            if name in ranges and not _within(pin.version, ranges[name]):
                raise _conflict(pin, ranges[name], [other for lock in serving for other in lock.of(name)], project)
    theirs = {pin.name: lock.of(pin.name) for lock in serving for pin in lock.pins}
    pins = [pin.text for _, several in sorted((theirs | own).items()) for pin in several]
    lines = [*dict.fromkeys(project.indexes), *pins]
    return _HEAD + "".join(f"{line}\n" for line in lines)


def _of_project(project: Lock, name: str) -> tuple[Locked, ...]:
    if found := project.of(name):
        return found
    if name in project.others:
        raise ConfigError(
            f"the model needs {name}, which is locked without a version of an index",
            f"Lock a version of {name} that an index has, or release a model that becomes ONNX: it needs no library.",
            where=project.file,
        )
    raise ConfigError(
        f"the model needs {name}, and the lock does not name it",
        "Lock again, so that it names everything that is installed.",
        where=project.file,
    )


def _conflict(pin: Locked, allowed: str, ours: list[Locked], project: Lock) -> ConfigError:
    tried = f" (the runtime is tested with {ours[0].version})" if ours else ""
    return ConfigError(
        f"the model needs {pin.name} {pin.version}, and the runtime that serves it {pin.name}{allowed}{tried}: "
        "one environment cannot hold both",
        f"Lock {pin.name}{allowed} and train with it, or release a model that becomes ONNX: it needs no library.",
        where=project.file,
    )


def _within(version: str, allowed: str) -> bool:
    if allowed.startswith("=="):
        return version == allowed.removeprefix("==")
    return release(version) >= release(allowed.removeprefix(">="))


def release(version: str) -> tuple[int, ...]:
    """The numbers a version begins with: (1, 9, 1) of `1.9.1rc1`."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def _logical(text: str) -> Iterable[tuple[str, list[str]]]:
    """Each requirement or option on one line, with the words of the comments below it."""
    line, comments = "", list[str]()
    for physical in text.splitlines():
        bare = re.sub(r"(^|\s)#.*", "", physical).strip()
        if line and not physical.strip():
            yield line, comments
            line = ""
        if not bare:
            said = physical.partition("#")[2].strip()
            comments += re.sub(r"^via\b|-r \S+", "", said).split()
            continue
        if line and not line.endswith(_GOES_ON):
            yield line, comments
            line = ""
        if not line:
            comments = []
        line = f"{line.removesuffix(_GOES_ON)} {bare}".strip()
    if line:
        yield line, comments


def _without_credentials(address: str) -> str:
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
