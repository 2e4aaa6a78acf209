"""Which held-out rows `@` gates are judged on where nothing but the verdict leaves them (statistics.md 2)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from mlops_ci.data.belonging import belonging
from mlops_ci.data.canonical import id_digests

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlops_ci.records.tables import Table

SHARE = 0.5
"""Of the held-out rows: half for the verdict, half for everything a report shows."""
_PREFIX = b"gate-part/"


def gate_part(
    table: Table, ids: NDArray[np.uint64], *, group: tuple[str, ...], time: str | None, salt: str
) -> NDArray[np.bool_]:
    """True where a row, were it held out, is in the gate part, shape (rows,).

    The keyed digest of what the row belongs to (its group, else its day, else its own id, shape (rows,)) as a
    fraction of 2^64 is below SHARE, as in split.py under another salt: a row never changes parts as data grows, and
    rows that belong together are in one.
    """
    keys = id_digests(table, group, salt) if group else belonging(table, (), time)
    unique, places = np.unique(ids if keys is None else keys, return_inverse=True)
    keyed = hashlib.sha256(_PREFIX + salt.encode())
    words = np.fromiter((_word(keyed, key) for key in unique.astype(">u8")), dtype=np.uint64, count=len(unique))
    return np.asarray((words < np.uint64(int(SHARE * 2.0**64)))[places])


def _word(keyed: hashlib._Hash, key: np.uint64) -> int:
    one = keyed.copy()
    one.update(key.tobytes())
    return int.from_bytes(one.digest()[:8], "big")
