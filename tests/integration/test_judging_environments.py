"""Commits that change environments, judged and recorded by the workflows' jobs: no data, no training."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import msgspec
import pytest

from mlops_ci.edge.git import Repository
from mlops_ci.flows.promote import promote
from mlops_ci.ledger.entries import Entry, with_evidence
from mlops_ci.ledger.statements import decision_id
from mlops_ci.promotion.rules import Way
from mlops_ci.records.decisions import Decision, Trust
from mlops_ci.records.outcomes import Outcome
from mlops_ci.steps import ledger
from mlops_ci.steps.progress import Silent
from mlops_ci.steps.promotion import Wish
from tests.github.fake import FakeGitHub
from tests.github.judging import NUMBER, Judging, Told, workflows
from tests.github.state import Pull
from tests.helpers import bare, commit, git, repo, run_info
from tests.released import SETTINGS, bundle_of, released

FILE = "environments/production.yaml"
FLAT = SETTINGS + "environments: {dev: {}, production: {}}\n"
AFTER = SETTINGS + "environments: {dev: {}, production: {after: dev, soak: 1h}}\n"
Change = Callable[["Place"], object]


class Place(Judging):
    """v1 and then v2 run in production; there are three releases."""

    def moves(self, release: str, *, environment: str = "production", way: Way = Way.PUSH) -> str:
        wish = Wish(environment=environment, release=release, way=way)
        return self._moved(wish)

    def goes_back(self, release: str = "", *, way: Way = Way.PUSH) -> str:
        return self._moved(
            Wish(environment="production", release=release, way=way, reason="slow", back=True, emergency=True)
        )

    def _moved(self, wish: Wish) -> str:
        moved = promote(self.desk, wish, Silent())
        assert moved.outcome is Outcome.PASSED, moved.story and moved.story.decision.reason
        git(self.desk, "fetch", "--quiet", "origin")
        if wish.way is Way.PUSH:
            git(self.desk, "reset", "--quiet", "--hard", "origin/main")
        return moved.decision

    def write(self, text: str, message: str = "By hand") -> None:
        commit(self.desk, {FILE: text}, message)

    @property
    def text(self) -> str:
        return (self.desk / FILE).read_text()

    def proposed(self, change: Change) -> Told:
        """What becomes of a pull request with what `change` commits on top of main."""
        git(self.desk, "switch", "--quiet", "main")
        change(self)
        head = git(self.desk, "rev-parse", "HEAD")
        git(self.desk, "push", "--quiet", "--force", "origin", "HEAD:refs/heads/change", "mlops-reports")
        git(self.desk, "reset", "--quiet", "--hard", "origin/main")
        self.github.state.pulls[NUMBER] = Pull(
            number=NUMBER, head_ref="change", head_sha=head, base_sha=git(self.desk, "rev-parse", "main")
        )
        return self.judged(self.left(None, head))

    def landed(self) -> Told:
        """What becomes of the head of main."""
        head = git(self.desk, "rev-parse", "main")
        return self.judged(self.left(None, head, event="push", branch="main"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("environments")
    with FakeGitHub(workflows(folder / "workflows"), git=None) as github:
        place = Place(folder, github)
        repo(place.desk, {"mlops.yaml": FLAT, ".gitignore": ".mlops-ci/\n"})
        git(place.desk, "config", "user.name", "Ada Example")
        git(place.desk, "config", "user.email", "ada@example.org")
        bare(place.desk, place.remote)
        for option in ("uploadpack.allowAnySHA1InWant", "uploadpack.allowReachableSHA1InWant"):
            git(place.remote, "config", option, "true")
        released(place.desk, 1, 2, 3, trust=Trust.DEFAULT_BRANCH)
        git(place.desk, "push", "--quiet", "origin", "mlops-reports")
        place.moves("v1")
        place.moves("v2")
        yield place


@pytest.fixture
def place(made: Place) -> Iterator[Place]:
    """Every test begins from the same main."""
    heads = git(made.remote, "rev-parse", "main"), git(made.remote, "rev-parse", "mlops-reports")
    yield made
    git(made.remote, "update-ref", "refs/heads/main", heads[0])
    git(made.remote, "update-ref", "refs/heads/mlops-reports", heads[1])
    git(
        made.desk,
        "fetch",
        "--quiet",
        "origin",
        "+main:refs/remotes/origin/main",
        "+mlops-reports:refs/remotes/origin/mlops-reports",
    )
    git(made.desk, "update-ref", "refs/heads/mlops-reports", heads[1])
    git(made.desk, "switch", "--quiet", "main")
    git(made.desk, "reset", "--quiet", "--hard", heads[0])
    made.github.state.comments.clear()
    made.github.state.statuses.clear()


def test_a_promotion_passes_in_no_time_and_comment_and_status_say_it(place: Place) -> None:
    began = time.monotonic()
    told = place.proposed(lambda at: at.moves("v3", way=Way.COMMIT))
    assert time.monotonic() - began < 60
    assert told.state == "success"
    assert told.status.startswith("flights: passed. Production goes to v3, after v2, decision ")
    assert "flights: **passed**. Production goes to v3, after v2, decision" in told.comment
    assert told.decision is None


def test_what_lies_on_main_is_judged_by_what_lay_there_before(place: Place) -> None:
    place.moves("v3")
    told = place.landed()
    assert (told.state, told.status[:46]) == ("success", "flights: passed. Production goes to v3, after ")
    place.write(place.text.replace("release: v3", "release: v1"))
    git(place.desk, "push", "--quiet", "origin", "main")
    told = place.landed()
    assert told.state == "failure"
    assert "environments/production.yaml:2: edited by hand: decision" in told.status


def test_a_rollback_passes_and_so_does_lifting_its_quarantine_alone(place: Place) -> None:
    told = place.proposed(lambda at: at.goes_back(way=Way.COMMIT))
    assert told.status.startswith("flights: passed. Production goes back to v1, after v2, decision ")
    place.goes_back()
    told = place.proposed(lambda at: at.write(at.text[: at.text.index("quarantine:")]))
    assert (told.state, told.status) == ("success", "flights: passed. Production: the quarantine of v2 is lifted")
    told = place.proposed(lambda at: at.write(at.text + "# a remark\n"))
    assert (told.state, told.status) == ("success", "flights: passed. Production: only remarks are others")


def test_a_plain_revert_of_a_promotion_passes_as_a_rollback(place: Place) -> None:
    told = place.proposed(lambda at: git(at.desk, "revert", "--no-edit", "HEAD"))
    assert (told.state, told.status) == (
        "success",
        "flights: passed. Production goes back to v1, after v2, by a plain revert",
    )


def test_a_revert_of_a_rollback_does_not_bring_back_what_was_rolled_back(place: Place) -> None:
    place.goes_back()
    told = place.proposed(lambda at: git(at.desk, "revert", "--no-edit", "HEAD"))
    assert told.state == "failure"
    assert "goes to v2" not in told.comment


def test_a_file_of_before_the_quarantine_cannot_be_restored_by_the_way(place: Place) -> None:
    first = git(place.desk, "show", f"main~1:{FILE}")
    place.goes_back()
    place.moves("v3")
    told = place.proposed(lambda at: at.write(f"{first}\n", "As it was"))
    assert told.state == "failure"
    assert "the revert takes the quarantine of v2 away: mlops-ci rollback production keeps it" in told.comment


def test_a_revert_of_a_revert_is_a_promotion_and_nobody_decided_that(place: Place) -> None:
    git(place.desk, "revert", "--no-edit", "HEAD")
    git(place.desk, "push", "--quiet", "origin", "main")
    told = place.proposed(lambda at: git(at.desk, "revert", "--no-edit", "HEAD"))
    assert told.state == "failure"
    assert "put v2 there before, and counts once: run it again" in told.comment


def test_a_revert_to_nothing_is_one_too(place: Place) -> None:
    first = git(place.desk, "rev-parse", "main~2")
    told = place.proposed(lambda at: git(at.desk, "rm", "--quiet", FILE) + commit(at.desk, {}, "Nothing any more"))
    assert first
    assert (told.state, told.status) == (
        "success",
        "flights: passed. Production goes back to nothing, after v2, by a plain revert",
    )


def _swap(key: str, value: str) -> Change:
    def change(at: Place) -> None:
        at.moves("v3", way=Way.COMMIT)
        lines = [f"{key}: {value}" if line.startswith(f"{key}:") else line for line in at.text.splitlines()]
        at.write("\n".join(lines) + "\n")

    return change


def _added(text: str) -> Change:
    def change(at: Place) -> None:
        at.moves("v3", way=Way.COMMIT)
        at.write(at.text + text)

    return change


ENTRY = f'quarantine:\n  - bundle: "{bundle_of(1)}"\n    release: v1\n    reason: "x"\n    by: "y"\n'


def _other_environment(at: Place) -> None:
    at.moves("v3", environment="dev", way=Way.COMMIT)
    commit(at.desk, {FILE: (at.desk / "environments/dev.yaml").read_text()}, "Copied")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_swap("release", "v1"), ":2: edited by hand: decision"),
        (_swap("bundle", f'"{bundle_of(1)}"'), ":3: edited by hand: decision"),
        (_swap("decision", f'"{"a" * 64}"'), ":4: edited by hand: the ledger has no decision aaaaaaaaaaaa"),
        (_added(f'image: "ghcr.io/acme/f@sha256:{"b" * 64}"\n'), ": edited by hand: decision"),
        (_added(ENTRY), ": edited by hand: decision"),
        (_added("surprise: 1\n"), "there is no key 'surprise'"),
        (lambda at: at.write("release: latest\n"), ":1: release: found the text 'latest'"),
        (_other_environment, "moves dev of flights"),
    ],
    ids=["release", "bundle", "decision", "image", "quarantine", "key", "form", "another environment"],
)
def test_what_nobody_decided_fails_with_file_and_line(place: Place, change: Change, told: str) -> None:
    found = place.proposed(change)
    assert found.state == "failure"
    text = found.comment.replace("\\", "").replace("\u200b", "")
    assert FILE in text
    assert told in text


def test_a_promotion_that_takes_a_quarantine_away_fails(place: Place) -> None:
    place.goes_back()

    def change(at: Place) -> None:
        at.moves("v3", way=Way.COMMIT)
        at.write(at.text[: at.text.index("quarantine:")])

    told = place.proposed(change)
    assert told.state == "failure"
    assert "the entry of v2 is taken away by a change that moves something" in told.comment


def test_one_that_was_planned_on_what_does_not_run_any_more_fails(place: Place) -> None:
    def change(at: Place) -> None:
        at.moves("v3", way=Way.COMMIT)
        at.write(at.text, "Kept for later")

    git(place.desk, "switch", "--quiet", "main")
    change(place)
    late = git(place.desk, "rev-parse", "HEAD")
    git(place.desk, "push", "--quiet", "origin", "mlops-reports")
    git(place.desk, "reset", "--quiet", "--hard", "origin/main")
    place.moves("v1")
    told = place.proposed(lambda at: git(at.desk, "reset", "--quiet", "--hard", late))
    assert told.state == "failure"
    assert "production was changed since: run it again on what runs there now" in told.comment
    text = git(place.desk, "show", f"{late}:{FILE}")
    told = place.proposed(lambda at: at.write(f"{text}\n"))
    assert told.state == "failure"
    assert "was made when v2 ran there" in told.comment


def test_rules_are_asked_again_as_main_has_them_now(place: Place) -> None:
    commit(place.desk, {"mlops.yaml": AFTER}, "Soak")
    git(place.desk, "push", "--quiet", "origin", "main")

    def change(at: Place) -> None:
        commit(at.desk, {"mlops.yaml": FLAT}, "Without")  # its own rules count for nothing
        git(at.desk, "push", "--quiet", "origin", "HEAD:refs/heads/loose")
        loose = git(at.desk, "rev-parse", "HEAD")
        at.moves("v3", way=Way.COMMIT)
        assert loose

    told = place.proposed(change)
    assert told.state in ("failure", "error")
    assert "v3 does not go to production: order: v3 never ran in dev" in told.comment
    told = place.proposed(lambda at: at.goes_back(way=Way.COMMIT))
    assert told.state == "success", "they do not hold a rollback back"


def test_gates_of_the_environment_are_asked_again_too(place: Place) -> None:
    stricter = FLAT.replace("production: {}", "production: {gates: [accuracy >= 0.5]}")

    def change(at: Place) -> None:
        """Decided while there was no gate."""
        at.moves("v3", way=Way.COMMIT)
        moved = at.text
        git(at.desk, "reset", "--quiet", "--hard", "HEAD~1")
        commit(at.desk, {"mlops.yaml": stricter}, "A gate")
        git(at.desk, "push", "--quiet", "origin", "main")
        git(at.desk, "fetch", "--quiet", "origin")
        at.write(moved)

    told = place.proposed(change)
    assert told.state == "error"  # of these rows nothing was kept
    assert "v3 does not go to production: accuracy >= 0.5" in told.comment


def test_a_decision_whose_id_is_not_its_own_is_none(place: Place) -> None:
    """Somebody who may write the ledger puts another decision into the folder of one that passed."""

    def change(at: Place) -> None:
        moved = promote(at.desk, Wish(environment="production", release="v3", way=Way.COMMIT), Silent())
        assert moved.story is not None
        repository = Repository.open(at.desk)
        stored = ledger.by_id(repository, moved.decision)
        assert stored is not None
        other: Decision = msgspec.structs.replace(stored.decision, reason="forged")
        entry = Entry(
            decision=with_evidence(other, stored.evidence), run=run_info(), evidence=stored.evidence, report_markdown=""
        )
        ledger.record(repository, entry)
        folder = f"{stored.path.rpartition('/')[0]}/{decision_id(other)}"
        forged = git(at.desk, "show", f"mlops-reports:{folder}/decision.json")
        place_ = at.folder / f"ledger-{time.monotonic_ns()}"
        git(at.desk, "worktree", "add", "--quiet", str(place_), "mlops-reports")
        commit(place_, {f"{stored.path}/decision.json": forged}, "forged")
        git(at.desk, "worktree", "remove", "--force", str(place_))

    told = place.proposed(change)
    assert told.state == "error"
    assert "was changed after it was recorded" in told.comment


def test_a_change_of_other_files_too_needs_the_check_as_well(place: Place) -> None:
    def change(at: Place) -> None:
        at.moves("v3", way=Way.COMMIT)
        commit(at.desk, {"params.yaml": "depth: 3\n"}, "And a parameter")

    told = place.proposed(change)
    assert told.state == "error"
    assert told.status == "1 of 2 verdicts passed. flights: could not be judged. The run left nothing to judge"
    assert "The run left nothing to judge" in told.comment
    assert "Production goes to v3" in told.comment
