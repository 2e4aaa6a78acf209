"""What a pickle would import, read without loading it."""

from __future__ import annotations

import collections
import pickle
from decimal import Decimal
from pathlib import PurePosixPath

import pytest

from mlops_ci.edge.pickles import COMPUTED, imports
from mlops_ci.errors import UserCodeError


class Calls:
    """Pickles as a call of any function."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> object:
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_names_what_it_imports(protocol: int) -> None:
    content = pickle.dumps([Decimal("1.5"), collections.OrderedDict(a=1), {"decimal": ["Decimal"]}], protocol)
    assert {"decimal.Decimal", "collections.OrderedDict"} <= set(imports(content))
    assert COMPUTED not in imports(content)


def test_a_call_is_named_and_not_made(tmp_path) -> None:
    made = tmp_path / "made"
    content = pickle.dumps(Calls(eval, f"__import__('pathlib').Path({str(made)!r}).touch()"))
    assert imports(content) == ("builtins.eval",)
    assert not made.exists()


def test_names_from_the_memo_are_followed() -> None:
    values = [PurePosixPath("a"), PurePosixPath("b"), "pathlib", "PurePosixPath"]
    assert {name.rpartition(".")[2] for name in imports(pickle.dumps(values))} == {"PurePosixPath"}


def test_what_was_put_into_a_list_or_taken_off_again_is_not_in_the_way() -> None:
    assert imports(b"\x80\x04\x8c\x02os](K\x01e0\x8c\x06system\x93.") == ("os.system",)


@pytest.mark.parametrize(
    "content",
    [
        # the name is what a call gives: os, then the lower case of SYSTEM
        b"\x80\x04\x8c\x02oscbuiltins\nstr\n\x8c\x06system\x85R\x93.",
        # the name is taken out of a tuple and put back by POP
        b"\x80\x04\x8c\x02os(\x8c\x06systemt0\x8c\x06systemN0N\x93.",
        b"\x80\x02\x82\x01.",
    ],
    ids=["called", "popped", "extension"],
)
def test_a_name_that_is_no_constant_is_not_taken_for_clean(content: bytes) -> None:
    assert COMPUTED in imports(content)


def test_names_are_lines_and_of_many_the_rest_is_counted() -> None:
    """Whoever wrote the pickle chose them."""
    one = b"\x8c\x02os\x8c\x0ca\n::error::\x1b\x93"
    assert imports(b"\x80\x04" + one + b".") == ("os.a ::error::",)
    many = b"".join(b"cos\n" + b"x" * 300 + b"%04d\n0" % number for number in range(3))
    assert imports(b"\x80\x04" + many + b"N.") == (f"os.{'x' * 196}…",)
    many = b"".join(b"cos\nx%04d\n0" % number for number in range(203))
    found = imports(b"\x80\x04" + many + b"N.")
    assert (found[0], found[199:], len(found)) == ("os.x0000", ("os.x0199", "and 3 more"), 201)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x04\x93.", b"\x80\x04h\x07.", b"0.", b"\x80\x04t."])
def test_what_is_no_pickle_is_told(content: bytes) -> None:
    with pytest.raises(UserCodeError, match=r"model\.pkl is no pickle"):
        imports(content)
