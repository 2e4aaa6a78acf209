"""Releases and their files, as the fake GitHub has them."""

from __future__ import annotations

from tests.github import shapes
from tests.github.calls import Call, RefusedError, now, one, page
from tests.github.server import Reply
from tests.github.state import Asset, Release, State


def by_tag(state: State, call: Call) -> Reply:
    found = [each for each in state.releases.values() if each.tag == call.path["tag"] and not each.draft]
    if not found:
        raise RefusedError(404, "Not Found")
    return Reply(200, shapes.release(state, found[0]))


def listed(state: State, call: Call) -> Reply:
    newest = sorted(state.releases.values(), key=lambda each: -each.id)
    return page(call, [shapes.release(state, each) for each in newest])


def created(state: State, call: Call) -> Reply:
    draft = call.body.get("draft", False)
    made = Release(
        id=state.new_id(),
        tag=call.body["tag_name"],
        name=call.body.get("name"),
        body=call.body.get("body"),
        draft=draft,
        login=call.login,
        created_at=now(),
    )
    if not draft:
        _publish(state, made, call.body)
    state.releases[made.id] = made
    return Reply(201, shapes.release(state, made))


def updated(state: State, call: Call) -> Reply:
    found = one(state.releases, call.path["release_id"])
    if found.draft and not call.body.get("draft", True):
        _publish(state, found, call.body)
    return Reply(200, shapes.release(state, found))


def deleted(state: State, call: Call) -> Reply:
    del state.releases[one(state.releases, call.path["release_id"]).id]
    return Reply(204)


def files(state: State, call: Call) -> Reply:
    found = one(state.releases, call.path["release_id"])
    return page(call, [shapes.asset(state, each) for each in found.assets])


def file(state: State, call: Call) -> Reply:
    """The description of a file, or where its bytes are."""
    found = one({each.id: each for _, each in _files(state)}, call.path["asset_id"])
    if call.accept == "application/octet-stream":
        return Reply(302, None, {"stored": f"asset-{found.id}"})
    return Reply(200, shapes.asset(state, found))


def uploaded(state: State, call: Call) -> Reply:
    """One name, one file, also while that has not arrived whole."""
    found = one(state.releases, call.path["release_id"])
    _changeable(state, found)
    name = call.query["name"]
    if any(each.name == name for each in found.assets):
        raise RefusedError(422, "Validation Failed", "already_exists")
    made = Asset(id=state.new_id(), name=name, content=call.content)
    found.assets.append(made)
    return Reply(201, shapes.asset(state, made))


def file_deleted(state: State, call: Call) -> Reply:
    release, found = next(pair for pair in _files(state) if pair[1].id == int(call.path["asset_id"]))
    _changeable(state, release)
    release.assets.remove(found)
    return Reply(204)


def tag_deleted(state: State, call: Call) -> Reply:
    name = call.path["ref"].removeprefix("tags/")
    if name not in state.tags:
        raise RefusedError(422, "Reference does not exist")
    state.tags.remove(name)
    return Reply(204)


def _publish(state: State, release: Release, asked: dict[str, object]) -> None:
    if any(each.tag == release.tag and not each.draft for each in state.releases.values()):
        raise RefusedError(422, "Validation Failed", "already_exists")
    release.draft, release.latest = False, asked.get("make_latest", "true") == "true"
    state.tags.add(release.tag)


def _changeable(state: State, release: Release) -> None:
    if state.immutable_releases and not release.draft:
        raise RefusedError(422, "Cannot upload assets to an immutable release.")


def _files(state: State) -> list[tuple[Release, Asset]]:
    return [(release, each) for release in state.releases.values() for each in release.assets]
