"""The nouns of reports, commands and docs, each in a sentence or two."""

from __future__ import annotations

NOUNS = {
    # what is judged
    "project": "project: a folder with an mlops.yaml in a git repository. A repository can hold several: mlops-ci -C "
    "DIR.",
    "subject": "subject: what a decision is about: the commit, and digests of its tree, data, parameters and "
    "environment. The same subject gets the same decision.",
    "base": "base: the commit that a commit is compared with: where its branch left the default branch, on the default "
    "branch the commit before it, or what `check --base` names. Its gates, waivers, contract and tests decide.",
    "judge": "judge: everything that decides: gates, slices, metrics, task, target, split, contract, checks, model "
    "tests, waivers and the version of mlops-ci. It is that of the base, so that a commit cannot pick its judge. "
    "Where a commit changes the gates, its own must hold too.",
    "snapshot": "snapshot: the prepared table of a commit, divided into rows to train on and held-out rows, with a "
    "digest that does not depend on the order of rows or files.",
    "profile": "profile: statistics of every column. mlops-ci data profile prints them.",
    "contract": "contract: what the data must satisfy, in data/contract.yaml: inferred once, then yours to edit. A "
    "breach stops the check before anything is trained.",
    "holdout": "holdout: the rows that no model is trained on and every gate is judged on. `data.split` says which; a "
    "row never changes sides. The report calls it the test set.",
    "group": "group: rows that belong together, such as those of one day or one customer, named by `data.group`. They "
    "stay on one side of the split, and they are not counted one by one: 1,000 rows of 32 days tell little more than "
    "32 rows, so bounds come from leaving out one group at a time. With `data.time` and no group, a day is one.",
    "design effect": "design effect: how many times wider the variance is because rows belong together. With 4, four "
    "times the rows are needed.",
    # how it is judged
    "check": "check: one question about the data, answered before training; also the command that judges a commit. "
    "mlops-ci explain checks lists them.",
    "result": "result: the answer of one check or one model test.",
    "predictions": "predictions: a model's labels and scores on the held-out rows, by the key of the row. Every gate "
    "over a metric is computed from them, and can be again.",
    "metric": "metric: a number computed from truth and predictions, such as accuracy. mlops-ci explain metrics lists "
    "them; your own go under `metrics:`.",
    "fact": "fact: a single number that a check finds or measures beside the metrics, such as bundle_size. mlops-ci "
    "explain facts lists them.",
    "gate": "gate: one line under `gates:` in mlops.yaml that must hold, such as accuracy >= 0.78 @ 95%. Its number is "
    "the one in the last report: rows --gate N, waive N and explain N know it by that.",
    "threshold": "threshold: the number that a gate compares with.",
    "confidence": "confidence: of accuracy >= 0.78 @ 95% the 95 %: each of the two bounds is wrong at most 5 times in "
    "100.",
    "tolerance": "tolerance: of n > 0.8 +/- 0.05 @ 99.9% the 0.05: how far the value that is seen may be from the "
    "truth.",
    "verdict": "verdict: the answer of one gate: passed, failed, undecided, skipped or could not be judged, with the "
    "numbers, the method and the reason.",
    "passed": "passed: the gate holds; of a decision: everything that blocks holds.",
    "failed": "failed: the gate does not hold. A decision with such a gate is refused.",
    "refused": "refused: what reports call a decision whose outcome is failed: at least one gate or check says no.",
    "undecided": "undecided: the rows at hand cannot tell whether the gate holds, and the reason says how many would. "
    "It blocks, unless the gate says when_undecided: warn or accept.",
    "skipped": "skipped: the gate was not asked, for a reason that is on the list: no champion yet, no row of the "
    "slice, check --only. It does not block.",
    "errored": "errored: the answer could not be found out, so reports say could not be judged: code crashed, scores "
    "are missing. It blocks and cannot be waived.",
    "could not be judged": "could not be judged: what reports say of errored: the answer could not be found out. It "
    "blocks and cannot be waived.",
    "waiver": "waiver: an entry of waivers.yaml that lets a failed or undecided gate through until a day, with a "
    "reason and an owner. It counts once the base holds it. mlops-ci waive writes one; docs/waivers.md.",
    "look": "look: one set of predictions judged by one set of `@` claims on held-out rows. Each look tells a little "
    "about these rows, so looks are counted row by row. The same again is no new look.",
    "guarantee": "guarantee: `holdout: {guarantee: ...}` makes `@ 95%` hold for many decisions on the same rows "
    "together, and takes more rows. Left out, looks are counted and shown.",
    "gate part": "gate part: under `disclose: verdict` the half of the held-out rows that `@` gates are judged on. Of "
    "it nothing leaves but passed or not passed.",
    "flipped": "flipped: a row that the champion got right and this commit does not (worse), or the reverse (better). "
    "mlops-ci rows --flipped worse lists them.",
    # what is kept
    "evidence": "evidence: what a decision was computed from, by digest, so that its verdicts can be computed again.",
    "decision": "decision: the answer to one commit: its outcome, every verdict and the judge, in decision.json. Its "
    "id is the sha256 of that file.",
    "outcome": "outcome: of a decision, the worst of its answers: errored before failed before undecided before "
    "passed.",
    "trust": "trust: where a decision was made: desk, fork, pull-request or default-branch.",
    "ledger": "ledger: all decisions: the branch mlops-reports. mlops-ci history lists them.",
    "report": "report: a decision in words and charts. mlops-ci report prints it, with --html as a page.",
    "environment": "environment: a place where a release runs, such as production; also the packages that a project is "
    "run with. `environments:` can give one gates of its own, which are shown and do not decide a check.",
    "store": "store: where the bundles of releases lie by digest: the folder `store:` of mlops.yaml.",
    "bundle": "bundle: the packaged model, a folder with a digest: the model in a safe format, what serves it, what "
    "explains it and what proves it. `mlops-ci release` makes it; the fact bundle_size is the saved model's.",
    "release": "release: a bundle with a number, v1, v2 and so on; each number is given once, to a commit that passed.",
    "promotion": "promotion: the commit that says which release runs in an environment. This version makes none yet.",
}
"""In the order a reader meets them."""
