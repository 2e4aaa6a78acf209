"""Objects of JSON of the same names, whatever the names are."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.serving.named import named

NAMES = st.lists(st.text(st.characters(exclude_categories=["Cs"])), unique=True)


@given(names=NAMES)
def test_they_are_written_as_a_dict_is(names: list[str]) -> None:
    values = range(len(names))
    assert msgspec.json.encode(named(names)(*values)) == msgspec.json.encode(dict(zip(names, values, strict=True)))


def test_names_that_json_escapes_are_names_too() -> None:
    for name in ('a"b', "a\\b", "a\nb", "\0", "__init__", "f0", "class"):
        assert msgspec.json.encode(named(["f1", name])(1, 2)) == msgspec.json.encode({"f1": 1, name: 2})
