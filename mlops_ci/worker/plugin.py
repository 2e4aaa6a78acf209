"""A pytest plugin that writes what happens to each test into a file, one JSON line each, as it happens.

Events: collected {tests: [id, …]}, collection_error {id, message, details}, started {id, file, line},
ended {id, outcome, message, details, file, line, seconds}, finished {code};
behaviour {id, kind, held, of, needed, confidence, when_undecided, groups, file, line} as the fixture counts it.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from .failures import in_project

_EXPLAINED = re.compile(r"E\s+\+\s+(where|and)\b")
_MACHINERY = re.compile(r"^\S*importlib/__init__\.py:\d+: in import_module\n(?:    .*\n)*", re.MULTILINE)
_MESSAGE, _DETAILS = 500, 8_000


class Recorder:
    """One per run; `path` is the file of events."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("w", encoding="utf-8")
        self._reports: dict[str, list[Any]] = {}

    def write(self, event: dict[str, Any]) -> None:
        self._file.write(json.dumps(event) + "\n")
        self._file.flush()

    def pytest_collection_finish(self, session: Any) -> None:
        self.write({"event": "collected", "tests": [item.nodeid for item in session.items]})

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            message, _ = _crash(report)
            last = str(report.longrepr).strip().splitlines()[-1:] or [""]
            self.write(
                {
                    "event": "collection_error",
                    "id": report.nodeid,
                    "message": (last[0].lstrip("E ") or message)[:_MESSAGE],
                    "details": _cut(_own(str(report.longrepr))),
                }
            )

    def pytest_runtest_logstart(self, nodeid: str, location: Any) -> None:
        file, line, _ = location
        self.write({"event": "started", "id": nodeid, "file": file, "line": (line or 0) + 1})

    def pytest_runtest_logreport(self, report: Any) -> None:
        self._reports.setdefault(report.nodeid, []).append(report)

    def pytest_runtest_logfinish(self, nodeid: str, location: Any) -> None:
        reports = self._reports.pop(nodeid, [])
        self.write({"event": "ended", "id": nodeid, **_ending(reports, location)})


def _ending(reports: list[Any], location: Any) -> dict[str, Any]:
    """What a test came to: pytest's own words, where an error in a fixture is not a failure of the model."""
    worst = next((report for report in reports if report.failed), None)
    skipped = next((report for report in reports if report.skipped), None)
    file, line, _ = location
    fields = {"outcome": "passed", "message": "", "details": "", "file": file, "line": (line or 0) + 1}
    if worst is not None:
        message, place = _crash(worst)
        fields["outcome"] = "failed" if worst.when == "call" else "errored"
        fields["message"] = message[:_MESSAGE]
        fields["details"] = _cut(_without_values(worst.longreprtext))
        if place is not None:
            fields["file"], fields["line"] = place
    elif skipped is not None:
        fields["outcome"], fields["message"] = "skipped", _reason(skipped)[:_MESSAGE]
    fields["known"] = any(hasattr(report, "wasxfail") for report in reports)
    fields["seconds"] = round(sum(report.duration for report in reports), 3)
    return fields


def _crash(report: Any) -> tuple[str, tuple[str, int] | None]:
    """The first line of what was raised, and the last line of the project's own that was running."""
    crash = getattr(report.longrepr, "reprcrash", None)
    message = crash.message if crash is not None else str(report.longrepr)
    entries = getattr(getattr(report.longrepr, "reprtraceback", None), "reprentries", [])
    for entry in reversed(entries):
        found = getattr(entry, "reprfileloc", None)
        if found is not None and in_project(str(found.path)):
            path = Path(found.path)
            return _first_line(message), (str(path), int(found.lineno))
    return _first_line(message), None


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[0].replace("AssertionError: ", "", 1)


def _reason(report: Any) -> str:
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).replace("Skipped: ", "", 1)
    return str(getattr(report, "wasxfail", "")) or "expected to fail"


def _without_values(text: str) -> str:
    """Without pytest's `+ where` lines: they show rows of the table, and what is written here is kept."""
    return "\n".join(line for line in text.splitlines() if not _EXPLAINED.match(line))


def _own(text: str) -> str:
    """Without the places of this run and the import machinery."""
    return _MACHINERY.sub("", text.replace(f"{Path.cwd()}{os.sep}", ""))


def _cut(text: str) -> str:
    return text if len(text) <= _DETAILS else text[: _DETAILS // 2] + "\n[cut]\n" + text[-_DETAILS // 2 :]
