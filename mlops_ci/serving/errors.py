"""Two kinds of bad news: a bundle that cannot be served, and a request that is not answered."""

from __future__ import annotations


class BundleError(Exception):
    """Nothing is served: the message names the file, what was found and what is allowed."""


class Refused(Exception):  # noqa: N818 - the noun of the protocol
    """A request is not answered. `code` is for programs, `where` names row and column, `status` is HTTP's.

    `row` is the first row that it is about, where it is about rows.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        where: str = "",
        row: int | None = None,
        status: int = 400,
        header: tuple[bytes, bytes] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.where = where
        self.row = row
        self.status = status
        self.header = header


class RefusedFrameError(ValueError):
    """What Python is told of a DataFrame that is not answered: `code` and `where` are those of `Refused`."""

    def __init__(self, refused: Refused) -> None:
        where = f"{refused.where}: " if refused.where else ""
        super().__init__(f"{where}{refused.message} ({refused.code})")
        self.code = refused.code
        self.where = refused.where
