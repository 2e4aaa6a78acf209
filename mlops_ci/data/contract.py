"""The data contract: what every snapshot must satisfy. Inferred once, then owned by people (docs/checks.md)."""

from mlops_ci.data.contract_answer import Answer
from mlops_ci.data.contract_file import parse
from mlops_ci.data.contract_infer import infer
from mlops_ci.data.contract_terms import (
    ColumnTerms,
    Contract,
    DuplicateTerms,
    FreshnessTerms,
    NewValues,
    TargetTerms,
)
from mlops_ci.data.contract_text import write
from mlops_ci.data.contract_validate import answers, count, validate

__all__ = [
    "Answer",
    "ColumnTerms",
    "Contract",
    "DuplicateTerms",
    "FreshnessTerms",
    "NewValues",
    "TargetTerms",
    "answers",
    "count",
    "infer",
    "parse",
    "validate",
    "write",
]
