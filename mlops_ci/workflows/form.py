"""How a text is written down, apart from what it says: byte order mark, line ends, newline at the end."""

from __future__ import annotations

import msgspec

_MARK = "\ufeff"


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """`crlf`: every line ends in CR LF; where only some do, their CR belongs to the text."""

    mark: bool
    crlf: bool
    ended: bool


def undressed(text: str) -> tuple[Form, str]:
    """The form, and the text with LF at the end of every line."""
    plain = text.removeprefix(_MARK)
    crlf = "\r\n" in plain and plain.count("\r\n") == plain.count("\n")
    if crlf:
        plain = plain.replace("\r\n", "\n")
    ended = not plain or plain.endswith("\n")
    form = Form(mark=text.startswith(_MARK), crlf=crlf, ended=ended)
    return form, plain if ended else f"{plain}\n"


def dressed(text: str, form: Form) -> str:
    """A text in a form; the inverse of `undressed`."""
    plain = text if form.ended else text.removesuffix("\n")
    return _MARK * form.mark + (plain.replace("\n", "\r\n") if form.crlf else plain)
