"""The words of the gate language, each in a sentence or two; what stands in backticks can be written."""

from __future__ import annotations

TERMS = {
    "n": "n: accuracy of the candidate, as in ease.ml/ci. The same as `accuracy`.",
    "o": "o: accuracy of the champion, as in ease.ml/ci. The same as `champion.accuracy`.",
    "d": "d: share of the held-out rows on which candidate and champion predict differently, as in ease.ml/ci. It "
    "needs no labels. `d <= 0.1 @ 95%`",
    "worst": "worst(metric, by=column, min_rows=N): the metric on the value of the column where it is worst. "
    "`worst(recall, by=origin, min_rows=500) >= 0.15 @ 95%`",
    "gap": "gap(metric, by=column, min_rows=N): the largest value of the metric over the values of the column minus "
    "the smallest. `gap(recall, by=origin, min_rows=500) <= 0.1 @ 95%`",
    "champion": "champion: the model that a commit's model, the candidate, is compared with: what runs in the "
    "environment `champion:`, left out in the last in which something runs; where nothing does, that of the last "
    "decision that passed. In a gate champion.metric is its value on the same held-out rows: "
    "`roc_auc - champion.roc_auc > -0.01 @ 95%`",
    "anchor": "anchor: the model of one decision that passed, named by `anchor:` in mlops.yaml. It stays while the "
    "champion changes, so that small losses cannot add up. In a gate anchor.metric is its value on the same held-out "
    "rows: `roc_auc - anchor.roc_auc > -0.02 @ 95%`",
    "candidate": "candidate: the model of the commit that is judged. A metric without a prefix is the candidate's: "
    "`accuracy >= 0.78`",
    "slice": "slice: the held-out rows with one value of a column that stands under `slices:`. `recall[origin=JFK] >= "
    "0.38`",
    "min_rows": "min_rows: a slice is judged only if it has as many rows that the metric divides by: positives for "
    "recall, for ROC AUC rows of the rarer class. `worst(recall, by=origin, min_rows=500) >= 0.15`",
    "clip": "clip: the most that one row counts in a mean of losses. Where losses have no limit one row that was never "
    "seen can cost any amount, so `@` needs one. `log_loss(clip=5) <= 0.4 @ 95%`",
    "@": "@ 95%: two bounds of the true value are computed from the rows, each wrong at most 5 times in 100. The gate "
    "is passed when even the worse of them holds, failed when even the better one does not, and undecided in between. "
    "Without @ the value that is seen decides. `accuracy >= 0.78 @ 95%`",
    "+/-": "+/- 0.01 @ 99.9%: as `@`, by bounds that hold whatever the data are like. How many rows they take is known "
    "beforehand; with fewer the gate is undecided. `n - o > 0.02 +/- 0.01 @ 99.9%`",
    "when_undecided": "when_undecided: what an undecided gate does. refuse (the default): it blocks; warn and accept: "
    "it does not. The word stays undecided.",
}
