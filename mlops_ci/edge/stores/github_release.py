"""The store on GitHub: a release for each file, made as a draft and published once its file came back whole."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from mlops_ci.edge.github.errors import GitHubError
from mlops_ci.edge.stores.remote import same_as
from mlops_ci.errors import OutsideError

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_ci.edge.github.client import GitHub
    from mlops_ci.edge.github.values import Asset, Release

_TAG = "mlops-ci-"
_TRIES = 3
_WHOLE = "uploaded"
_ABOUT = (
    "Kept by mlops-ci for releases of models: the branch `mlops-reports` says which release this is.\n\n"
    "It is found by its tag and never changes; `mlops-ci prune` removes what nothing needs any more.\n"
)


class GitHubReleases:
    """Needs `contents: write` to keep a file, `contents: read` to fetch one."""

    def __init__(self, hub: GitHub) -> None:
        self._hub = hub
        self.place = f"the GitHub releases of {hub.repository}"

    def put(self, name: str, file: Path) -> None:
        """A published release never lacks its file: what was cut off is a draft, and goes once another is published."""
        release = self._hub.release(_TAG + name)
        if release is None:
            self._publish(name, file)
            return
        self._compare(_whole(release.assets, name) or self._upload(release, name, file), name, file)

    def fetch(self, name: str, into: Path, *, limit: int) -> bool:
        release = self._hub.release(_TAG + name)
        asset = _whole(release.assets, name) if release else None
        if asset is None:
            return False
        self._hub.download_asset(asset, into, limit=limit)
        return True

    def size(self, name: str) -> int | None:
        release = self._hub.release(_TAG + name)
        asset = _whole(release.assets, name) if release else None
        return asset.size if asset else None

    def remove(self, name: str) -> None:
        for left in self._drafts(name):
            self._hub.delete_release(left.id)
        if release := self._hub.release(_TAG + name):
            self._hub.delete_release(release.id)
        self._hub.delete_tag(_TAG + name)

    def _publish(self, name: str, file: Path) -> None:
        draft = self._hub.create_release(tag=_TAG + name, title=name[:21], body=_ABOUT)
        try:
            self._compare(self._upload(draft, name, file), name, file)
            self._hub.publish_release(draft.id)
        except BaseException as error:
            with suppress(GitHubError):
                self._hub.delete_release(draft.id)
            if not (isinstance(error, GitHubError) and error.status in (404, 422)):
                raise
            if not (theirs := self._hub.release(_TAG + name)):
                raise
            # Somebody published the same file meanwhile, and may have removed our draft: theirs is as good, if it is
            # the same.
            self._compare(_whole(theirs.assets, name), name, file)
        with suppress(GitHubError):  # the file is kept; a draft that stays takes room alone, until `prune`
            for left in self._drafts(name):
                self._hub.delete_release(left.id)

    def _drafts(self, name: str) -> list[Release]:
        """What killed runs left behind. One that still goes on finds the release that is published."""
        return [each for each in self._hub.releases() if each.draft and each.tag_name == _TAG + name]

    def _compare(self, asset: Asset | None, name: str, file: Path) -> None:
        if asset is None:
            raise OutsideError(f"{name} is not in {self.place}", "Run the command again.")
        size = file.stat().st_size
        same_as(file, lambda to: self._hub.download_asset(asset, to, limit=size), name=name, place=self.place)

    def _upload(self, release: Release, name: str, file: Path) -> Asset:
        """A lost answer is looked up; what did not arrive whole is removed and sent again."""
        for left in reversed(range(_TRIES)):
            try:
                return self._hub.upload(release, _file(name), file)
            except GitHubError as error:
                passing = error.status in (0, 422) or error.status >= 500
                there = self._hub.assets(release.id) if passing else []
                if whole := _whole(there, name):
                    return whole
                if not (passing and left):
                    raise
                for each in there:
                    if each.name == _file(name):
                        self._hub.delete_asset(each.id)
        raise AssertionError("the last try returns or raises")


def _whole(assets: tuple[Asset, ...] | list[Asset], name: str) -> Asset | None:
    return next((each for each in assets if each.name == _file(name) and each.state == _WHOLE), None)


def _file(name: str) -> str:
    return f"{name}.zip"
