"""The check of one column: kind, missing values, limits, categories."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

import msgspec

from .described import Input
from .errors import BundleError, Refused

LARGEST_INTEGER = 2**63 - 1
LARGEST_FLOAT = 3.4028234663852886e38  # of 32 bits, which is what models for tables compute with
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_SHOWN = 10


class Column:
    """What all kinds share; a kind says which types pass at once, and how one value is read."""

    kind = ""
    plain: frozenset[type] = frozenset()

    def __init__(self, column: Input) -> None:
        self.name = column.name
        self.nullable = column.nullable
        self.low = self.limit(column.minimum)
        self.high = self.limit(column.maximum)
        self.categories = None if column.categories is None else frozenset(column.categories)

    def limit(self, value: Any) -> Any:
        """A limit of serving.json as a value of this kind."""
        return value

    def one(self, value: Any) -> Any:
        """One value that is not missing, in this kind; None where it is of another. Raises ValueError with words."""
        return value if type(value) in self.plain else None

    @property
    def held_to(self) -> object:
        """Columns of which this is equal may be looked at together."""
        return self.kind, self.low, self.high, self.categories

    @property
    def exact(self) -> Any:
        """The type of JSON values that `slow` would give back as they are, all of them; None where no type says so."""
        bare = self._bare()
        return bare | None if self.nullable and bare is not None else bare

    def fast(self, values: Sequence[Any]) -> bool:
        """Whether `slow` would give all these values back as they are; it may say no."""
        return set(map(type, values)) <= self.plain and (self.categories is None or self.categories.issuperset(values))

    def slow(self, values: Sequence[Any]) -> list[Any]:
        """The values in this kind, one by one. Raises Refused naming the row."""
        return [self._slow(row, value) for row, value in enumerate(values)]

    def problems(self, values: Sequence[Any]) -> Iterator[tuple[int, Refused]]:
        """Every row whose value `slow` refuses, with its words."""
        for row, value in enumerate(values):
            try:
                self._slow(row, value)
            except Refused as refused:
                yield row, refused

    def _bare(self) -> Any:
        """`exact`, but for what is missing."""
        return None

    def _slow(self, row: int, value: Any) -> Any:
        if value is None:
            if self.nullable:
                return None
            raise self._refused("missing_value", row, f"is missing (null); {self._allowed()} is needed")
        read = self.one(value)
        if read is None:
            raise self._refused("wrong_kind", row, f"is {_shown(value)}; {self._allowed()} is allowed")
        if self.categories is not None and read not in self.categories:
            raise self._refused("unknown_category", row, f"is {_shown(value)}; allowed: {self._some_categories()}")
        if not self._within(read):
            raise self._refused("out_of_range", row, f"is {_shown(value)}; allowed is {self._range()}")
        return read

    def _within(self, value: Any) -> bool:
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def _allowed(self) -> str:
        return f"{'an' if self.kind[0] in 'ai' else 'a'} {self.kind}{' or null' if self.nullable else ''}"

    def _range(self) -> str:
        if self.low is not None and self.high is not None:
            return f"{self.low} to {self.high}"
        return f"at least {self.low}" if self.low is not None else f"at most {self.high}"

    def _some_categories(self) -> str:
        names = sorted(map(str, self.categories or ()))
        return ", ".join(map(repr, names[:_SHOWN])) + (f" and {len(names) - _SHOWN} more" if names[_SHOWN:] else "")

    def _refused(self, code: str, row: int, words: str) -> Refused:
        return Refused(code, f"{self.name} {words}", where=f"row {row}, column {self.name}", row=row)


class _Number(Column):
    largest: float = LARGEST_FLOAT

    def __init__(self, column: Input) -> None:
        super().__init__(column)
        self._low = -self.largest if self.low is None else max(self.low, -self.largest)
        self._high = self.largest if self.high is None else min(self.high, self.largest)

    def limit(self, value: Any) -> Any:
        if value is not None and type(value) not in (int, float):
            raise BundleError(f"serving.json: the limit {value!r} of {self.name} is no number")
        return value

    def fast(self, values: Sequence[Any]) -> bool:
        return (
            set(map(type, values)) <= self.plain
            and self._low <= min(values)
            and max(values) <= self._high
            and (self.categories is None or self.categories.issuperset(values))
        )

    def _integers(self) -> Any:
        """The type of integers within the limits; None where there are none that a type of 64 bits tells."""
        low, high = max(math.ceil(self._low), -(2**63)), min(math.floor(self._high), LARGEST_INTEGER)
        return Annotated[int, msgspec.Meta(ge=low, le=high)] if low <= high and self.categories is None else None

    def _within(self, value: Any) -> bool:
        return bool(self._low <= value <= self._high)

    def _range(self) -> str:
        if self.low is None and self.high is None:
            return f"{-self.largest} to {self.largest}"
        return super()._range()


class _Integer(_Number):
    """Booleans are none; a float without a fraction is one, since missing values make floats of integers."""

    kind = "integer"
    plain = frozenset({int})
    largest = LARGEST_INTEGER

    def _bare(self) -> Any:
        return self._integers()

    def one(self, value: Any) -> int | None:
        if type(value) is float and value.is_integer():
            return int(value)
        return value if type(value) is int else None


class _Float(_Number):
    """Integers are welcome. What is not finite cannot be sent: JSON has no NaN, and null says missing."""

    kind = "float"
    plain = frozenset({int, float})

    def _bare(self) -> Any:
        low, high = float(self._low), float(self._high)
        integers = self._integers()
        if integers is None or (low, high) != (self._low, self._high):  # a limit that no float is
            return None
        return integers | Annotated[float, msgspec.Meta(ge=low, le=high)]

    def one(self, value: Any) -> float | None:
        return value if type(value) in self.plain and value == value else None

    def fast(self, values: Sequence[Any]) -> bool:
        # min and max do not see every NaN; a sum does.
        return super().fast(values) and not math.isnan(sum(values))


class _Text(Column):
    """Any text but NUL, which ends a text in C."""

    kind = "text"
    plain = frozenset({str})

    def _bare(self) -> Any:
        categories = tuple(self.categories or ())
        return Literal[categories] if categories and set(map(type, categories)) == {str} else None

    def fast(self, values: Sequence[Any]) -> bool:
        return super().fast(values) and (self.categories is not None or "\0" not in "".join(values))

    def one(self, value: Any) -> str | None:
        return value if type(value) is str and "\0" not in value else None


class _Boolean(Column):
    kind = "boolean"
    plain = frozenset({bool})

    def _bare(self) -> Any:
        return bool if self.categories is None else None


class _Time(Column):
    """Texts in, datetimes out; so no value passes at once."""

    def limit(self, value: Any) -> Any:
        read = None if value is None else self.one(value)
        if read is None and value is not None:
            raise BundleError(f"serving.json: the limit {value!r} of {self.name} is no {self.kind}")
        return read

    def fast(self, _: Sequence[Any]) -> bool:
        return False


class _Date(_Time):
    kind = "date"

    def one(self, value: Any) -> dt.date | None:
        try:
            return dt.date.fromisoformat(value) if type(value) is str and _DATE.fullmatch(value) else None
        except ValueError:
            return None

    def _allowed(self) -> str:
        return "a date like 2024-05-01" + (" or null" if self.nullable else "")


class _Timestamp(_Time):
    """A time with a zone becomes UTC; one without a zone is UTC."""

    kind = "timestamp"

    def one(self, value: Any) -> dt.datetime | None:
        try:
            read = dt.datetime.fromisoformat(value) if type(value) is str else None
            return read.astimezone(dt.UTC).replace(tzinfo=None) if read is not None and read.tzinfo else read
        except (ValueError, OverflowError):
            return None

    def _allowed(self) -> str:
        return "a time like 2024-05-01T12:00:00Z" + (" or null" if self.nullable else "")


_KINDS = {kind.kind: kind for kind in (_Integer, _Float, _Text, _Boolean, _Date, _Timestamp)}


def column(described: Input) -> Column:
    """The check of one column. Raises BundleError where its limits are of another kind."""
    return _KINDS[described.kind](described)


def _shown(value: Any) -> str:
    """A value as JSON names it, never long."""
    if isinstance(value, str):
        return f"text {value[:40]!r}{'…' if len(value) > 40 else ''}"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)[:40]
