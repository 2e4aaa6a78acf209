"""The operations the fake GitHub serves: what each asks of the token, and what it does to the state."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import NamedTuple

from tests.github import release_routes, shapes
from tests.github.calls import Call, RefusedError, now, one, page
from tests.github.server import Reply
from tests.github.state import Artifact, Comment, Pull, State, Status
from tests.github.zips import zipped

_LONGEST_BODY = 65_536
_LONGEST_DESCRIPTION = 140


class Route(NamedTuple):
    """`needs`: permissions of which one is enough, as the header X-Accepted-GitHub-Permissions names them.

    From https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps.
    """

    method: str
    template: str
    needs: tuple[str, ...]
    answer: Callable[[State, Call], Reply]

    @property
    def pattern(self) -> re.Pattern[str]:
        """`{path}` is that of a file, `{ref}` in front of nothing a name in git: of several parts."""
        named = re.sub(r"\{(path|ref)\}$", r"(?P<\1>.+)", self.template)
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", named))


def repository(state: State, call: Call) -> Reply:
    return Reply(200, shapes.repository(state))


def run(state: State, call: Call) -> Reply:
    return Reply(200, shapes.run(state, one(state.runs, call.path["run_id"])))


def runs(state: State, call: Call) -> Reply:
    file = f".github/workflows/{call.path['workflow_id']}"
    if file not in {each.path for each in state.runs.values()}:
        raise RefusedError(404, "Not Found")
    sha = call.query.get("head_sha")
    found = [each for each in state.runs.values() if each.path == file and sha in (None, each.head_sha)]
    return page(call, [shapes.run(state, each) for each in sorted(found, key=lambda each: -each.id)], "workflow_runs")


def artifacts(state: State, call: Call) -> Reply:
    wanted = one(state.runs, call.path["run_id"]).id
    _keep(state, wanted)
    found = [each for each in state.artifacts.values() if each.run == wanted]
    shown = [shapes.artifact(each, f"sha256:{hashlib.sha256(each.content).hexdigest()}") for each in found]
    return page(call, shown, "artifacts")


def _keep(state: State, run: int) -> None:
    """What a run that goes on has left since."""
    there = {each.name for each in state.artifacts.values() if each.run == run}
    for place in sorted(state.keeping[run].glob("*")) if run in state.keeping else ():
        if place.name not in there:
            number = state.new_id()
            state.artifacts[number] = Artifact(id=number, run=run, name=place.name, content=zipped(place, hidden=True))


def artifact_zip(state: State, call: Call) -> Reply:
    found = one(state.artifacts, call.path["artifact_id"])
    if found.expired:
        raise RefusedError(410, "Artifact has expired")
    return Reply(302, None, {"stored": str(found.id)})


def pull(state: State, call: Call) -> Reply:
    return Reply(200, shapes.pull(state, one(state.pulls, call.path["pull_number"]), listed=False))


def pulls(state: State, call: Call) -> Reply:
    def fits(each: Pull) -> bool:
        owner = (each.head_repository or "").split("/")[0]
        return (
            call.query.get("state", "open") in ("all", each.state)
            and call.query.get("head") in (None, f"{owner}:{each.head_ref}")
            and call.query.get("base") in (None, each.base_ref)
        )

    newest = sorted(state.pulls.values(), key=lambda each: -each.number)
    return page(call, [shapes.pull(state, each, listed=True) for each in newest if fits(each)])


def pulls_of(state: State, call: Call) -> Reply:
    sha = call.path["commit_sha"]
    holding = [each for each in state.pulls.values() if sha == each.head_sha or sha in each.commits]
    found = [each for each in holding if each.merged_at or each.state == "open"]
    return page(call, [shapes.pull(state, each, listed=True) for each in found])


def create_pull(state: State, call: Call) -> Reply:
    if call.is_job and not state.actions_may_open_pulls:
        raise RefusedError(403, "GitHub Actions is not permitted to create or approve pull requests.")
    head, base = call.body["head"].removeprefix(f"{state.repository.split('/')[0]}:"), call.body["base"]
    unknown = [field for field, name in (("head", head), ("base", base)) if name not in state.branches]
    if unknown:
        raise RefusedError(422, "Validation Failed", *(f"The {field} branch does not exist" for field in unknown))
    if any(each.state == "open" and (each.head_ref, each.base_ref) == (head, base) for each in state.pulls.values()):
        raise RefusedError(422, "Validation Failed", f"A pull request already exists for {call.body['head']}.")
    made = Pull(
        number=max(state.pulls, default=0) + 1,
        head_ref=head,
        head_sha=state.branches[head].sha,
        head_repository=state.repository,
        base_ref=base,
        base_sha=state.branches[base].sha,
        title=call.body["title"],
        body=_within(call.body.get("body") or "", _LONGEST_BODY, "Body"),
        login=call.login,
    )
    state.pulls[made.number] = made
    return Reply(201, shapes.pull(state, made, listed=False))


def update_pull(state: State, call: Call) -> Reply:
    found = one(state.pulls, call.path["pull_number"])
    found.title = call.body.get("title", found.title)
    found.body = _within(call.body.get("body", found.body) or "", _LONGEST_BODY, "Body")
    found.state = call.body.get("state", found.state)
    return Reply(200, shapes.pull(state, found, listed=False))


def reviews(state: State, call: Call) -> Reply:
    number = one(state.pulls, call.path["pull_number"]).number
    return page(call, [shapes.review(each) for each in state.reviews if each.number == number])


def comments(state: State, call: Call) -> Reply:
    number = one(state.pulls, call.path["issue_number"]).number
    return page(call, [shapes.comment(state, each) for each in state.comments.values() if each.number == number])


def create_comment(state: State, call: Call) -> Reply:
    number = one(state.pulls, call.path["issue_number"]).number
    body = _within(call.body["body"], _LONGEST_BODY, "Body")
    made = Comment(id=state.new_id(), number=number, body=body, login=call.login, created_at=now())
    state.comments[made.id] = made
    return Reply(201, shapes.comment(state, made))


def update_comment(state: State, call: Call) -> Reply:
    found = _own_comment(state, call)
    found.body = _within(call.body["body"], _LONGEST_BODY, "Body")
    return Reply(200, shapes.comment(state, found))


def delete_comment(state: State, call: Call) -> Reply:
    del state.comments[_own_comment(state, call).id]
    return Reply(204)


def set_status(state: State, call: Call) -> Reply:
    made = Status(
        id=state.new_id(),
        sha=call.path["sha"],
        state=call.body["state"],
        context=call.body.get("context", "default"),
        description=_within(call.body.get("description") or "", _LONGEST_DESCRIPTION, "Description"),
        target_url=call.body.get("target_url"),
        login=call.login,
        created_at=now(),
    )
    state.statuses.insert(0, made)
    return Reply(201, shapes.status(made))


def statuses(state: State, call: Call) -> Reply:
    return page(call, [shapes.status(each) for each in state.statuses if each.sha == call.path["ref"]])


def permission(state: State, call: Call) -> Reply:
    login = call.path["username"]
    return Reply(200, shapes.permission(login, state.permissions.get(login, "none")))


def branch(state: State, call: Call) -> Reply:
    name = call.path["branch"]
    if name not in state.branches:
        raise RefusedError(404, "Branch not found")
    return Reply(200, shapes.branch(name, state.branches[name]))


def protection(state: State, call: Call) -> Reply:
    _in_the_plan(state)
    found = state.branches.get(call.path["branch"])
    if found is None or not found.protected:
        raise RefusedError(404, "Branch not protected" if found else "Branch not found")
    return Reply(200, shapes.protection(found))


def rules(state: State, call: Call) -> Reply:
    _in_the_plan(state)
    return page(call, state.rules.get(call.path["branch"], []))


def codeowners_errors(state: State, call: Call) -> Reply:
    return Reply(200, {"errors": state.codeowners_errors})


def contents(state: State, call: Call) -> Reply:
    path = call.path["path"]
    if path in state.files:
        return Reply(200, shapes.file(state, path))
    if found := shapes.folder(state, path):
        return Reply(200, found)
    raise RefusedError(404, "Not Found")


def environments(state: State, call: Call) -> Reply:
    return page(call, state.environments, "environments")


def actions_permissions(state: State, call: Call) -> Reply:
    pinned = state.sha_pinning_required
    if state.actions == "off":
        return Reply(200, {"enabled": False, "sha_pinning_required": pinned})
    return Reply(200, {"enabled": True, "allowed_actions": state.actions, "sha_pinning_required": pinned})


def workflow_permissions(state: State, call: Call) -> Reply:
    level, may = state.default_workflow_permissions, state.actions_may_open_pulls
    return Reply(200, {"default_workflow_permissions": level, "can_approve_pull_request_reviews": may})


def secrets(state: State, call: Call) -> Reply:
    return _secrets(call, state.secrets)


def organization_secrets(state: State, call: Call) -> Reply:
    return _secrets(call, state.organization_secrets)


def environment_secrets(state: State, call: Call) -> Reply:
    name = call.path["environment_name"]
    if name not in {each["name"] for each in state.environments}:
        raise RefusedError(404, "Not Found")
    return _secrets(call, state.environment_secrets.get(name, []))


_READ_PULLS, _WRITE_PULLS = ("pull_requests=read",), ("pull_requests=write",)
_READ_COMMENTS = ("issues=read", "pull_requests=read")
_WRITE_COMMENTS = ("issues=write", "pull_requests=write")
_READ_RUNS, _METADATA, _ADMINISTRATION = ("actions=read",), ("metadata=read",), ("administration=read",)

ROUTES = (
    Route("GET", "", _METADATA, repository),
    Route("GET", "/actions/runs/{run_id}", _READ_RUNS, run),
    Route("GET", "/actions/workflows/{workflow_id}/runs", _READ_RUNS, runs),
    Route("GET", "/actions/runs/{run_id}/artifacts", _READ_RUNS, artifacts),
    Route("GET", "/actions/artifacts/{artifact_id}/{archive_format}", _READ_RUNS, artifact_zip),
    Route("GET", "/pulls/{pull_number}", _READ_PULLS, pull),
    Route("GET", "/pulls", _READ_PULLS, pulls),
    Route("POST", "/pulls", _WRITE_PULLS, create_pull),
    Route("PATCH", "/pulls/{pull_number}", _WRITE_PULLS, update_pull),
    Route("GET", "/commits/{commit_sha}/pulls", _READ_PULLS, pulls_of),
    Route("GET", "/pulls/{pull_number}/reviews", _READ_PULLS, reviews),
    Route("GET", "/issues/{issue_number}/comments", _READ_COMMENTS, comments),
    Route("POST", "/issues/{issue_number}/comments", _WRITE_COMMENTS, create_comment),
    Route("PATCH", "/issues/comments/{comment_id}", _WRITE_COMMENTS, update_comment),
    Route("DELETE", "/issues/comments/{comment_id}", _WRITE_COMMENTS, delete_comment),
    Route("POST", "/statuses/{sha}", ("statuses=write",), set_status),
    Route("GET", "/commits/{ref}/statuses", ("statuses=read",), statuses),
    Route("GET", "/collaborators/{username}/permission", _METADATA, permission),
    Route("GET", "/releases/tags/{tag}", ("contents=read",), release_routes.by_tag),
    Route("GET", "/releases", ("contents=read",), release_routes.listed),
    Route("POST", "/releases", ("contents=write",), release_routes.created),
    Route("PATCH", "/releases/{release_id}", ("contents=write",), release_routes.updated),
    Route("DELETE", "/releases/{release_id}", ("contents=write",), release_routes.deleted),
    Route("GET", "/releases/{release_id}/assets", ("contents=read",), release_routes.files),
    Route("POST", "/releases/{release_id}/assets", ("contents=write",), release_routes.uploaded),
    Route("GET", "/releases/assets/{asset_id}", ("contents=read",), release_routes.file),
    Route("DELETE", "/releases/assets/{asset_id}", ("contents=write",), release_routes.file_deleted),
    Route("DELETE", "/git/refs/{ref}", ("contents=write",), release_routes.tag_deleted),
    Route("GET", "/branches/{branch}", ("contents=read",), branch),
    Route("GET", "/branches/{branch}/protection", _ADMINISTRATION, protection),
    Route("GET", "/rules/branches/{branch}", _METADATA, rules),
    Route("GET", "/codeowners/errors", ("contents=read",), codeowners_errors),
    Route("GET", "/contents/{path}", ("contents=read",), contents),
    Route("GET", "/environments", _READ_RUNS, environments),
    Route("GET", "/actions/permissions", _ADMINISTRATION, actions_permissions),
    Route("GET", "/actions/permissions/workflow", _ADMINISTRATION, workflow_permissions),
    Route("GET", "/actions/secrets", ("secrets=read",), secrets),
    Route("GET", "/actions/organization-secrets", ("secrets=read",), organization_secrets),
    Route("GET", "/environments/{environment_name}/secrets", ("environments=read",), environment_secrets),
)


def _in_the_plan(state: State) -> None:
    """What a plan lacks is refused to everybody alike."""
    if state.private and not state.protects_private:
        raise RefusedError(403, "Upgrade to GitHub Pro or make this repository public to enable this feature.")


def _secrets(call: Call, names: list[str]) -> Reply:
    then = "2026-01-01T00:00:00Z"
    return page(call, [{"name": name, "created_at": then, "updated_at": then} for name in names], "secrets")


def _own_comment(state: State, call: Call) -> Comment:
    """A job's token changes what the bot wrote and nothing else."""
    found = one(state.comments, call.path["comment_id"])
    if call.is_job and found.login != call.login:
        raise RefusedError(403, "Must have admin rights to Repository.")
    return found


def _within(text: str, longest: int, name: str) -> str:
    if len(text) > longest:
        raise RefusedError(422, "Validation Failed", f"{name} is too long (maximum is {longest} characters)")
    return text
