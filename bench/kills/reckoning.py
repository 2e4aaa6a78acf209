"""Every answer that clients had is looked for in the log, and every line of the log among the questions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bench.kills.client import MOST_ROWS, Asked


class Reckoning(NamedTuple):
    """Counts of records: a line for each row that was answered, one for a request that was refused."""

    requests: int
    unanswered: int
    """Requests that had no whole answer."""
    answered: int
    """Records that answered requests must have left."""
    logged: int
    """Records that answered requests did leave, each once and with the very answer."""
    in_flight: int
    """Records of unanswered requests: the process was killed when they were written, and the answer not sent."""
    stray: int
    """What should not be there: records of nobody, too often, with another answer; lines cut off; open files."""

    def wrong(self, kills: int, counted: int, dropped: int) -> list[str]:
        """What is not as it should be. The server says that it logged `counted` records and dropped others."""
        found = self.logged + self.in_flight
        told = []
        if self.answered != self.logged:
            told.append(f"{self.answered} records answered, {self.logged} logged")
        if self.stray:
            told.append(f"{self.stray} records or files that should not be there")
        if self.in_flight > self.unanswered * MOST_ROWS:
            told.append(f"{self.in_flight} records of {self.unanswered} unanswered requests")
        # A process may be killed after it wrote the records of one request and before it counted them.
        if not found - MOST_ROWS * kills <= counted <= found or dropped:
            told.append(f"the server says {counted} logged and {dropped} dropped; there are {found}")
        return told


def reckon(asked: Mapping[str, Asked], log: Path) -> Reckoning:
    """Compare what clients had with the folder of the log."""
    found: dict[str, list[dict[str, Any]]] = {}
    stray = 0
    for path in sorted(log.iterdir()):
        stray += path.suffix != ".jsonl"
        for line in path.read_bytes().splitlines(keepends=True):
            record = _record(line)
            if record is None or record["request"] not in asked:
                stray += 1
            else:
                found.setdefault(record["request"], []).append(record)
    counts: Counter[str] = Counter()
    for name, each in asked.items():
        records = found.get(name, [])
        if each.status is None:
            counts["unanswered"] += 1
            counts["in_flight"] += len(records)
        else:
            right = _right(each, records)
            counts["answered"] += each.rows if each.status == 200 else 1
            counts["logged"] += right
            stray += len(records) - right
    return Reckoning(len(asked), counts["unanswered"], counts["answered"], counts["logged"], counts["in_flight"], stray)


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if line.endswith(b"\n") and "request" in record else None


def _right(asked: Asked, records: list[dict[str, Any]]) -> int:
    """How many of the records say what the client was told, each row once."""
    if asked.status != 200:
        return min(1, sum(record["status"] == asked.status and record["row"] is None for record in records))
    right = {record["row"] for record in records if _same(asked, record)}
    return len(right)


def _same(asked: Asked, record: dict[str, Any]) -> bool:
    row = record["row"]
    return record["status"] == 200 and row in range(asked.rows) and record["outputs"] == asked.answers[row]
