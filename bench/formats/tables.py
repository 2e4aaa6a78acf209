"""Small tables of every kind, and what people put before an estimator for each."""

from __future__ import annotations

ROWS = 240
HELD = 120
KINDS = ("numbers", "categories", "missing", "text")


def table(kind, task):
    """Features and target: `kind` says what is in the columns."""
    import numpy as np
    import pandas as pd

    draw = np.random.default_rng(7)
    a, b = draw.normal(size=ROWS).round(2), draw.uniform(0, 50, ROWS).round(1)
    count = draw.integers(0, 9, ROWS)
    colour = draw.choice(["red", "green", "blue", "grey"], ROWS)
    signal = a + (b > 20) + 0.2 * count + (colour == "red") - (colour == "blue") + draw.normal(0, 0.3, ROWS)
    frame = pd.DataFrame({"a": a, "b": b, "count": count})
    if kind in ("categories", "missing"):
        frame["colour"] = pd.Series(colour, dtype=pd.Series(["text"]).dtype)
    if kind == "missing":
        frame.loc[draw.random(ROWS) < 0.2, "a"] = np.nan
        frame.loc[draw.random(ROWS) < 0.2, "colour"] = np.nan
    if kind == "text":
        words = np.where(signal > 1, "good quick parcel", "late broken box")
        more = draw.choice(["again", "never mind", "thanks"], ROWS)
        frame["note"] = pd.Series([f"{one} {two}" for one, two in zip(words, more, strict=True)])
    if task == "regression":
        return frame, signal * 10
    parts = pd.cut(signal, [-99, 0.8, 99] if task == "binary" else [-99, 0.3, 1.8, 99], labels=False)
    return frame, np.array(["no", "yes"] if task == "binary" else ["low", "middle", "top"])[parts]


def pipeline(estimator, kind):
    """What people put before an estimator: scaling, imputation, encoding, counting words; columns by name."""
    from sklearn.compose import ColumnTransformer
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = ["a", "b", "count"]
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    if kind == "numbers":
        return make_pipeline(StandardScaler(), estimator)
    if kind == "categories":
        steps = [("numbers", StandardScaler(), numbers), ("codes", encoder, ["colour"])]
    elif kind == "missing":
        filled = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
        codes = make_pipeline(SimpleImputer(strategy="most_frequent"), encoder)
        steps = [("numbers", filled, numbers), ("codes", codes, ["colour"])]
    else:
        steps = [("numbers", StandardScaler(), numbers), ("words", TfidfVectorizer(), "note")]
    return make_pipeline(ColumnTransformer(steps, sparse_threshold=0), estimator)
