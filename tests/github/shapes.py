"""The state as GitHub writes it: its own example of an answer, with what is true filled in."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from tests.github import contract
from tests.github.state import BOT, Artifact, Asset, Branch, Comment, Pull, Release, Review, Run, State, Status

Shape = dict[str, Any]

_WEB = "https://github.com"


def filled(example: Shape, true: Shape) -> Shape:
    """The example with the values of `true` in it; objects are filled, everything else is replaced."""
    for key, value in true.items():
        inside = example.get(key)
        example[key] = filled(inside, value) if isinstance(inside, dict) and isinstance(value, dict) else value
    return example


def user(login: str | None) -> Shape:
    """A user; the one GitHub shows for somebody who is gone where there is no login."""
    login = login or "ghost"
    example = contract.example("GET", "/pulls/{pull_number}")["user"]
    return filled(example, {"login": login, "html_url": f"{_WEB}/{login}", "type": "Bot" if "[" in login else "User"})


def repository(state: State) -> Shape:
    example = contract.example("GET", "")
    for other in ("parent", "source", "template_repository"):  # it is no fork
        example.pop(other, None)
    return filled(
        example,
        {
            **_named(state.repository),
            "html_url": f"{state.web}/{state.repository}",
            "private": state.private,
            "visibility": "private" if state.private else "public",
            "default_branch": state.default_branch,
            "archived": state.archived,
            "owner": {"login": state.repository.split("/")[0], "type": state.owner_type},
            "language": "Python",
        },
    )


def pull(state: State, each: Pull, *, listed: bool) -> Shape:
    example = contract.example("GET", "/pulls")[0] if listed else contract.example("GET", "/pulls/{pull_number}")
    true = {
        "number": each.number,
        "state": each.state,
        "title": each.title,
        "body": each.body,
        "user": user(each.login),
        "html_url": f"{_WEB}/{state.repository}/pull/{each.number}",
        "merged_at": each.merged_at,
        "requested_teams": [],
        "requested_reviewers": [],
        "labels": [],
        "base": {"ref": each.base_ref, "sha": each.base_sha, "repo": _named(state.repository)},
        "head": {"ref": each.head_ref, "sha": each.head_sha, "repo": _named(each.head_repository)},
    }
    if not listed:
        true["merged"] = each.merged_at is not None
    return filled(example, true)


def comment(state: State, each: Comment) -> Shape:
    return filled(
        contract.example("GET", "/issues/{issue_number}/comments")[0],
        {
            "id": each.id,
            "body": each.body,
            "user": user(each.login),
            "html_url": f"{_WEB}/{state.repository}/pull/{each.number}#issuecomment-{each.id}",
            "created_at": each.created_at,
            "updated_at": each.created_at,
        },
    )


def review(each: Review) -> Shape:
    return filled(
        contract.example("GET", "/pulls/{pull_number}/reviews")[0],
        {"id": each.id, "user": each.login and user(each.login), "state": each.state, "commit_id": each.commit_id},
    )


def status(each: Status) -> Shape:
    return filled(
        contract.example("GET", "/commits/{ref}/statuses")[0],
        {
            "id": each.id,
            "state": each.state,
            "context": each.context,
            "description": each.description,
            "target_url": each.target_url,
            "created_at": each.created_at,
            "updated_at": each.created_at,
            "creator": user(each.login),
        },
    )


def run(state: State, each: Run) -> Shape:
    return filled(
        contract.example("GET", "/actions/runs/{run_id}"),
        {
            "id": each.id,
            "name": each.name,
            "path": each.path,
            "run_number": each.run_number,
            "run_attempt": each.run_attempt,
            "event": each.event,
            "status": each.status,
            "conclusion": each.conclusion,
            "head_sha": each.head_sha,
            "head_branch": each.head_branch,
            "head_repository": _named(each.head_repository),
            "html_url": f"{_WEB}/{state.repository}/actions/runs/{each.id}",
            "pull_requests": [],
        },
    )


def artifact(each: Artifact, digest: str) -> Shape:
    return filled(
        contract.example("GET", "/actions/runs/{run_id}/artifacts")["artifacts"][0],
        {
            "id": each.id,
            "name": each.name,
            "size_in_bytes": len(each.content) if each.size is None else each.size,
            "expired": each.expired,
            "digest": digest,
            "workflow_run": {"id": each.run},
        },
    )


def release(state: State, each: Release) -> Shape:
    root = f"{state.web}/{state.repository}/releases"
    address = f"/repos/{state.repository}/releases/{each.id}"
    return filled(
        contract.example("GET", "/releases/tags/{tag}"),
        {
            "id": each.id,
            "tag_name": each.tag,
            "name": each.name,
            "body": each.body,
            "draft": each.draft,
            "prerelease": False,
            "created_at": each.created_at,
            "published_at": None if each.draft else each.created_at,
            "author": user(each.login),
            "html_url": f"{root}/tag/{f'untagged-{each.id}' if each.draft else each.tag}",
            "upload_url": f"{state.uploads}{address}/assets{{?name,label}}",
            "assets": [asset(state, file) for file in each.assets],
        },
    )


def asset(state: State, each: Asset) -> Shape:
    whole = each.state == "uploaded"
    digest = f"sha256:{hashlib.sha256(each.content).hexdigest()}" if whole else None
    return filled(
        contract.example("GET", "/releases/{release_id}/assets")[0],
        {
            "id": each.id,
            "name": each.name,
            "state": each.state,
            "size": len(each.content) if whole else 0,
            "digest": digest,
            "content_type": "application/octet-stream",
            "uploader": user(BOT),
            "url": f"https://api.github.com/repos/{state.repository}/releases/assets/{each.id}",
        },
    )


def permission(login: str, level: str) -> Shape:
    example = contract.example("GET", "/collaborators/{username}/permission")
    return filled(example, {"permission": level, "role_name": level, "user": {"login": login, "role_name": level}})


def branch(name: str, each: Branch) -> Shape:
    level = "non_admins" if each.contexts else "off"
    checks = {"enforcement_level": level, "contexts": each.contexts, "checks": []}
    return filled(
        contract.example("GET", "/branches/{branch}"),
        {
            "name": name,
            "commit": {"sha": each.sha},
            "protected": each.protected or each.ruled,
            "protection": {"enabled": each.protected, "required_status_checks": checks},
        },
    )


def protection(each: Branch) -> Shape:
    """Without restrictions to some people, whose example is older than their description."""
    example: Shape = contract.example("GET", "/branches/{branch}/protection")
    del example["restrictions"], example["required_pull_request_reviews"]["dismissal_restrictions"]
    if not each.contexts:
        del example["required_status_checks"]
    true: Shape = {"required_pull_request_reviews": {"require_code_owner_reviews": each.asks_owners}}
    if each.contexts:
        true["required_status_checks"] = {"contexts": each.contexts, "checks": [], "strict": each.strict}
    return filled(example, true)


def file(state: State, path: str) -> Shape:
    content = state.files[path].encode()
    return _listed(state, path) | {"content": base64.encodebytes(content).decode(), "encoding": "base64"}


def folder(state: State, path: str) -> list[Shape]:
    return [_listed(state, each) for each in sorted(state.files) if each.rpartition("/")[0] == path]


def _listed(state: State, path: str) -> Shape:
    """A file, without its content, with the name git has for that."""
    content = state.files[path].encode()
    example: Shape = contract.example("GET", "/contents/{path}")
    del example["content"], example["encoding"]
    sha = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    return filled(example, {"name": path.rpartition("/")[2], "path": path, "sha": sha, "size": len(content)})


def _named(full_name: str | None) -> Shape | None:
    if full_name is None:
        return None
    return {"full_name": full_name, "name": full_name.split("/")[1], "html_url": f"{_WEB}/{full_name}"}
