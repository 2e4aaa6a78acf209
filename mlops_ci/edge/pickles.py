"""What a pickle would import when it is loaded: its instructions are read, and none of them is followed."""

from __future__ import annotations

import pickletools
from typing import Any

from mlops_ci.edge.http import plain
from mlops_ci.errors import UserCodeError

COMPUTED = "a name computed while loading"
_MOST, _LONGEST = 200, 200
"""Names that are told, and signs of each."""
_MARK = object()
_TEXTS = ("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE")
_PUTS = ("PUT", "BINPUT", "LONG_BINPUT")
_GETS = ("GET", "BINGET", "LONG_BINGET")


def imports(content: bytes) -> tuple[str, ...]:
    """`module.name` of everything a pickle takes from modules, sorted; COMPUTED where its texts are no constants.

    Each is one line. After so many the last of them says how many more there are. UserCodeError where it is no pickle.
    """
    machine = _Machine()
    try:
        for opcode, argument, _ in pickletools.genops(content):
            machine.step(opcode, argument)
    except (ValueError, IndexError, KeyError) as error:
        raise UserCodeError(f"model.pkl is no pickle that can be read: {error}") from error
    found = sorted({plain(name, _LONGEST) for name in machine.found})
    more = len(found) - _MOST
    return (*found[:_MOST], f"and {more} more") if more > 0 else tuple(found)


class _Machine:
    """The stack and the memo of a pickle, of which only constant texts are known; anything else is None."""

    def __init__(self) -> None:
        self.found: set[str] = set()
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def step(self, opcode: pickletools.OpcodeInfo, argument: Any) -> None:
        """Note what one instruction imports, and move the stack as pickletools describes it."""
        name = opcode.name
        if name in ("GLOBAL", "INST"):
            self.found.add(str(argument).replace(" ", "."))
        elif name == "STACK_GLOBAL":
            self.found.add(self._named(self._stack[-2:]))
        elif name in ("EXT1", "EXT2", "EXT4"):
            self.found.add(COMPUTED)
        elif name in _PUTS:
            self._memo[argument] = self._stack[-1]
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = self._stack[-1]
        self._move(opcode, argument)

    def _named(self, texts: list[Any]) -> str:
        known = len(texts) == 2 and all(isinstance(text, str) for text in texts)
        return ".".join(texts) if known else COMPUTED

    def _move(self, opcode: pickletools.OpcodeInfo, argument: Any) -> None:
        before, after, name = opcode.stack_before, opcode.stack_after, opcode.name
        if name in (*_PUTS, "MEMOIZE"):
            return
        top = self._stack[-1] if self._stack else None
        if pickletools.markobject in before:
            while self._stack.pop() is not _MARK:
                pass
            before = before[: before.index(pickletools.markobject)]
        for _ in before:
            self._stack.pop()
        if name in _TEXTS:
            self._stack.append(argument)
        elif name in _GETS:
            self._stack.append(self._memo[argument])
        elif name == "MARK":
            self._stack.append(_MARK)
        else:
            self._stack.extend([top if name == "DUP" else None] * len(after))
