"""CODEOWNERS: who has to agree to a change of a file, by GitHub's rules ("About code owners" in docs.github.com).

Patterns are those of .gitignore without `!`, `[ ]` and an escaped `#`: lines that use them do not hold. The last line
that matches counts.
"""

from __future__ import annotations

import re

import msgspec

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where it may lie; the first that is there counts.

https://docs.github.com/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
"""
LARGEST = 3 * 1024 * 1024
"""A larger one is not read by GitHub either."""
_WORD = re.compile(r"(?:\\.|\S)+")


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    matches: re.Pattern[str]
    owners: tuple[str, ...]


class Codeowners(msgspec.Struct, frozen=True, kw_only=True):
    """The lines of one file, in their order."""

    lines: tuple[_Line, ...] = ()

    def owners(self, path: str) -> tuple[str, ...]:
        """`@login`, `@organization/team` or an e-mail address, as written; empty where nobody owns the file."""
        return next((line.owners for line in reversed(self.lines) if line.matches.fullmatch(path)), ())


def parse(text: str) -> Codeowners:
    """Lines that do not hold are left out, as GitHub does."""
    found = (_line(line) for line in text.removeprefix("\ufeff").splitlines())
    return Codeowners(lines=tuple(line for line in found if line is not None))


def _line(line: str) -> _Line | None:
    words = _WORD.findall(line)
    if not words or words[0].startswith(("#", "!", "\\#")) or "[" in words[0] or "]" in words[0]:
        return None
    end = next((place for place, word in enumerate(words) if word.startswith("#")), len(words))
    owners = tuple(words[1:end])
    if not all("@" in owner for owner in owners):
        return None
    return _Line(matches=_pattern(re.sub(r"\\(.)", r"\1", words[0])), owners=owners)


def _pattern(glob: str) -> re.Pattern[str]:
    """A file's path from the root, wholly. `docs/*` owns what lies in docs; every other pattern what lies below too."""
    anchored = "/" in glob.rstrip("/")
    inside = glob.endswith("/")
    body = "".join(_part(part) for part in re.findall(r"\*\*/|/\*\*$|\*|\?|[^*?/]+|/", glob.strip("/")))
    below = "/.*" if inside else "" if glob.endswith("/*") else "(?:/.*)?"
    return re.compile(("" if anchored else "(?:.*/)?") + body + below, re.DOTALL)


def _part(part: str) -> str:
    return {"**/": "(?:.*/)?", "/**": "/.*", "*": "[^/]*", "?": "[^/]", "/": "/"}.get(part) or re.escape(part)
