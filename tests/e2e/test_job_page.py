"""What the first job, `mlops / run`, shows of a pull request that is refused: the page of the run and its log."""

from __future__ import annotations

import re
from pathlib import Path

from tests import helpers
from tests.e2e.bad_input import Golden, run
from tests.e2e.scene import scene


def test_the_page_and_the_log_of_the_run_are_the_golden_ones(tmp_path: Path, golden: Golden) -> None:
    """A command on the page finds what is recorded of the commit afterwards, though it is judged again."""
    with scene(tmp_path) as here:
        head = here.pull(7, {"params.yaml": "# trains are late above\nlimit: 99.0\n"})
        ran, _ = here.jobs.checked(here.site.on_pull_request(7), "rain", ".")
        assert ran.code == 10, ran.out
        golden("job-page.md", _plain(ran.summary))
        golden("job-log.txt", _plain(ran.out))
        here.through(7)
        told = re.findall(r"^mlops-ci (report [0-9a-f]{12}|rows [0-9a-f]{12} --gate 1) ", ran.summary, re.MULTILINE)
        assert len(told) == 2
        helpers.git(here.desk, "fetch", "--quiet", "origin", "mlops-reports:refs/remotes/origin/mlops-reports")
        for words in told:
            found = run(here.desk, *words.split(), temporary=tmp_path / "tmp")
            assert found.code == 0, found.err
        assert head.startswith(told[0].split()[1])


def _plain(text: str) -> str:
    """Without what differs between two runs or two machines."""
    text = re.sub(r"^\*\*Cost:\*\*.*$", "**Cost:** COST", text, flags=re.MULTILINE)
    text = re.sub(r" +\d+\.\d s$", "  TIME", text, flags=re.MULTILINE)
    text = re.sub(r"\b(?=[a-f]*\d)[0-9a-f]{7,64}\b", "HASH", text)
    return re.sub(r"\d+ bytes", "SOME bytes", text)
