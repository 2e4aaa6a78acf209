"""Numpy arrays as .npy bytes, the same on every machine.

The format is NEP 1: https://numpy.org/neps/nep-0001-npy-format.html.
"""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

from mlops_ci.errors import OutsideError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_KINDS = "biuf"


def encode(array: NDArray[np.generic]) -> bytes:
    """Little-endian, C order, no pickles: booleans, integers and floats only."""
    import numpy as np

    if array.dtype.kind not in _KINDS:
        raise ValueError(f"{array.dtype} is not stored")
    buffer = io.BytesIO()
    plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    np.lib.format.write_array(buffer, plain, version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


def decode(data: bytes, *, name: str) -> NDArray[np.generic]:
    """The array; OutsideError for bytes that `encode` does not write. The header is not trusted for its size."""
    import numpy as np

    buffer = io.BytesIO(data)
    try:
        if np.lib.format.read_magic(buffer) != (1, 0):
            raise ValueError("another version of the format")
        shape, fortran, kind = np.lib.format.read_array_header_1_0(buffer)
    except (ValueError, TypeError, OverflowError, MemoryError, RecursionError, SyntaxError) as error:
        raise _damaged(name) from error
    size = math.prod(shape) * kind.itemsize
    if fortran or min(shape, default=0) < 0 or kind.kind not in _KINDS or size != len(data) - buffer.tell():
        raise _damaged(name)
    return np.frombuffer(data, dtype=kind, offset=buffer.tell()).reshape(shape)


def _damaged(name: str) -> OutsideError:
    return OutsideError(f"{name} is not an array mlops-ci wrote", "`mlops-ci verify` lists what was changed.")
