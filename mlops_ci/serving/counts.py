"""Counts that outlive a process: the workers of a server count in one piece of memory, each in a part of its own.

A killed worker's part is gone on with by the one that takes its place, so nothing that was counted is forgotten.
A part is slots of a name and a number; the name is the line of `/metrics` without its value.
"""

from __future__ import annotations

import mmap
from typing import Any

_SLOTS = 256
_SLOT = 128
_NAME = _SLOT - 8  # bytes, ASCII; the number is the double behind it
PART = _SLOTS * _SLOT


class Counts:
    """Adds up in one part of a memory of several; without one, in a memory of its own."""

    def __init__(self, memory: mmap.mmap | None = None, part: int = 0) -> None:
        everything: memoryview[Any] = memoryview(bytearray(PART) if memory is None else memory)
        self._everything = everything
        self._names = everything[part * PART : (part + 1) * PART]
        self._numbers = self._names.cast("d")
        self._places = {name: _number(slot) for slot, name in enumerate(_named(self._names))}

    def __getitem__(self, name: str) -> float:
        place = self._places.get(name)
        return self._numbers[place] if place is not None else 0.0

    def __setitem__(self, name: str, value: float) -> None:
        self._numbers[self._place(name)] = value

    def add(self, name: str, by: float = 1.0) -> None:
        """Count `by` more. One thread at a time may count under a name."""
        try:
            self._numbers[self._places[name]] += by
        except KeyError:
            self._numbers[self._place(name)] += by

    def sums(self) -> dict[str, float]:
        """Name -> sum over all parts."""
        found: dict[str, float] = {}
        for start in range(0, len(self._everything), PART):
            part = self._everything[start : start + PART]
            numbers = part.cast("d")
            for slot, name in enumerate(_named(part)):
                found[name] = found.get(name, 0.0) + numbers[_number(slot)]
        return found

    def _place(self, name: str) -> int:
        place = self._places.get(name)
        if place is None:
            slot = len(self._places)
            encoded = name.encode("ascii")
            if slot == _SLOTS or len(encoded) > _NAME:
                raise ValueError(f"no room to count {name}")  # names are our own: all of them are known
            self._names[slot * _SLOT : slot * _SLOT + len(encoded)] = encoded
            place = self._places[name] = _number(slot)
        return place


class Memory:
    """What several processes count in, a part for each; it is in no folder, and gone with the last of them.

    It has to be there before they are forked.
    """

    def __init__(self, parts: int) -> None:
        self._pages = mmap.mmap(-1, parts * PART)
        self._free = set(range(parts))

    def take(self) -> int:
        """A part that nobody counts in."""
        part = min(self._free)
        self._free.remove(part)
        return part

    def give(self, part: int) -> None:
        """Nobody counts in it any more."""
        self._free.add(part)

    def counts(self, part: int) -> Counts:
        """Of what was counted there already, too: made anew by each who wants to count."""
        return Counts(self._pages, part)


def _named(part: memoryview[Any]) -> list[str]:
    """The names of the slots that are taken, in their order."""
    names = []
    for start in range(0, PART, _SLOT):
        name = bytes(part[start : start + _NAME]).rstrip(b"\0")
        if not name:
            break
        names.append(name.decode("ascii"))
    return names


def _number(slot: int) -> int:
    return (slot + 1) * (_SLOT // 8) - 1
