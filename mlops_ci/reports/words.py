"""The words of reports: outcomes, statuses, metrics."""

from __future__ import annotations

from mlops_ci.records.outcomes import Outcome, Status
from mlops_ci.records.results import Result
from mlops_ci.records.verdicts import Verdict
from mlops_ci.reports.document import Answer, Code, Span, Text

OUTCOMES = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "refused",
    Outcome.UNDECIDED: "undecided",
    Outcome.ERRORED: "could not be judged",
}
SYMBOLS = {
    Status.PASSED: "✓",
    Status.FAILED: "✗",
    Status.UNDECIDED: "?",
    Status.SKIPPED: "–",
    Status.ERRORED: "!",
}
STATUSES = {
    Status.PASSED: "passed",
    Status.FAILED: "failed",
    Status.UNDECIDED: "undecided",
    Status.SKIPPED: "skipped",
    Status.ERRORED: "could not be judged",
}
HELD_BACK = (
    "GitHub holds the checks of a pull request that a workflow opened back until somebody with write access approves "
    "them, on its page."
)
METRICS = {
    "roc_auc": "ROC AUC",
    "auc": "AUC",
    "pr_auc": "PR AUC",
    "average_precision": "average precision",
    "log_loss": "log loss",
    "brier": "Brier score",
    "ece": "calibration error (ECE)",
    "f1": "F1",
    "f1_macro": "macro F1",
    "f1_weighted": "weighted F1",
    "precision_macro": "macro precision",
    "recall_macro": "macro recall",
    "mcc": "Matthews correlation",
    "cohen_kappa": "Cohen's κ",
    "median_ae": "median absolute error",
    "mean_error": "mean error",
    "rmse": "RMSE",
    "mae": "MAE",
    "mse": "mean squared error",
    "top_2_accuracy": "top-2 accuracy",
    "top_3_accuracy": "top-3 accuracy",
    "top_5_accuracy": "top-5 accuracy",
    "pinball_10": "pinball loss at 10 %",
    "pinball_50": "pinball loss at 50 %",
    "pinball_90": "pinball loss at 90 %",
    "mape": "MAPE",
    "r2": "R²",
    "balanced_accuracy": "balanced accuracy",
    "accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
    "specificity": "specificity",
    "false_positive_rate": "false positive rate",
    "selection_rate": "selection rate",
    "bundle_size": "bundle size",
    "image_size": "image size",
    "cpu_per_request": "processor time per request",
}
UNPROTECTED = {
    "command": "The training command could read the held-out rows: no source carries the whole row id",
    "model": "The model was trained elsewhere: nothing here shows that it has not seen the held-out rows",
    "predictions": "The predictions were made elsewhere: nothing here shows that their model has not seen these rows",
}
"""Why held-out rows are not known to be unseen, by the rung."""
KINDS = {
    "data": "data",
    "params": "parameters",
    "code": "code",
    "environment": "environment",
    "judge": "judge",
}


def status(value: Status) -> Answer:
    return Answer(value.value, SYMBOLS[value], STATUSES[value])


def answer(item: Result | Verdict) -> Answer:
    """Symbol and word of an answer; one that does not block says so, and whether it is waived."""
    value = item.status if isinstance(item, Result) else item.verdict
    found = status(value)
    if isinstance(item, Verdict) and item.waived:
        return Answer("advisory", found.symbol, f"{found.word}, waived")
    if item.blocking or value in {Status.PASSED, Status.SKIPPED}:
        return found
    return Answer("advisory", found.symbol, f"{found.word}, does not block")


def metric(name: str) -> Span:
    """A metric as people call it; a name we do not know is shown as it is typed."""
    return Text(METRICS[name]) if name in METRICS else Code(name)


def capital(span: Span) -> Span:
    """The span as the first word of a sentence; typed names stay as they are."""
    return Text(begun(span.text)) if isinstance(span, Text) else span


def begun(text: str) -> str:
    """A text as a sentence; one that begins with a name, `mlops.yaml:3`, stays as it is."""
    return text[0].upper() + text[1:] if text.split(" ", 1)[0].rstrip(",:").isalpha() else text
