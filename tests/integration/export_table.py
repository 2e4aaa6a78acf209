"""Exports many small models, one after the other in one process: `python export_table.py KIT FOLDER`; JSON on stdout.

Each is an estimator behind the preprocessing people give it, on one kind of table, for one task.
"""

from __future__ import annotations

import json
import pickle
import re
import sys
import warnings
from pathlib import Path

ROWS = 240
HELD = 120
KINDS = ("numbers", "missing", "text")
TEXT = ("LogisticRegression", "RandomForestClassifier", "Ridge", "HistGradientBoostingRegressor")
"""Behind counted words is the same estimator as behind numbers: these stand for the others."""


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
    if kind == "missing":
        frame["colour"] = pd.Series(colour, dtype=pd.Series(["text"]).dtype)
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
    if kind == "missing":
        filled = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
        codes = make_pipeline(SimpleImputer(strategy="most_frequent"), encoder)
        steps = [("numbers", filled, numbers), ("codes", codes, ["colour"])]
    else:
        steps = [("numbers", StandardScaler(), numbers), ("words", TfidfVectorizer(), "note")]
    return make_pipeline(ColumnTransformer(steps, sparse_threshold=0), estimator)


def native(estimator, kind):
    """Histogram gradient boosting with categories and missing values of its own, as the example project has it."""
    import numpy as np
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OrdinalEncoder

    if kind != "missing":
        return None
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=np.nan)
    columns = ColumnTransformer([("codes", codes, ["colour"]), ("numbers", "passthrough", ["a", "b", "count"])])
    return make_pipeline(columns, estimator)


def estimators():
    """Name -> (estimator, task, the pipeline it is put into)."""
    from sklearn import (
        calibration,
        discriminant_analysis,
        ensemble,
        linear_model,
        naive_bayes,
        neighbors,
        neural_network,
        svm,
        tree,
    )

    few = {"n_estimators": 10, "random_state": 0}
    boosting = {"max_iter": 10, "random_state": 0, "early_stopping": False, "min_samples_leaf": 5}
    small = {"hidden_layer_sizes": (8,), "max_iter": 60, "random_state": 0}
    classifiers = [
        linear_model.LogisticRegression(),
        linear_model.RidgeClassifier(),
        svm.LinearSVC(),
        svm.SVC(),
        neighbors.KNeighborsClassifier(),
        naive_bayes.GaussianNB(),
        discriminant_analysis.LinearDiscriminantAnalysis(),
        tree.DecisionTreeClassifier(max_depth=5, random_state=0),
        ensemble.RandomForestClassifier(**few),
        ensemble.GradientBoostingClassifier(**few),
        ensemble.HistGradientBoostingClassifier(**boosting),
        ensemble.AdaBoostClassifier(**few),
        ensemble.BaggingClassifier(**few),
        neural_network.MLPClassifier(**small),
        calibration.CalibratedClassifierCV(linear_model.LogisticRegression(), cv=2),
        ensemble.StackingClassifier([("tree", tree.DecisionTreeClassifier(max_depth=3))], cv=2),
    ]
    regressors = [
        linear_model.LinearRegression(),
        linear_model.Ridge(),
        linear_model.PoissonRegressor(),
        svm.SVR(),
        neighbors.KNeighborsRegressor(),
        tree.DecisionTreeRegressor(max_depth=5, random_state=0),
        ensemble.RandomForestRegressor(**few),
        ensemble.GradientBoostingRegressor(**few),
        ensemble.HistGradientBoostingRegressor(**boosting),
        neural_network.MLPRegressor(**small),
    ]
    for one in (*classifiers, *regressors):
        yield type(one).__name__, one, "regression" if one in regressors else "classification", pipeline
    splits = "with categorical splits"
    yield (
        f"HistGradientBoostingClassifier {splits}",
        ensemble.HistGradientBoostingClassifier(**boosting, categorical_features=[0]),
        "classification",
        native,
    )
    yield (
        f"HistGradientBoostingRegressor {splits}",
        ensemble.HistGradientBoostingRegressor(**boosting, categorical_features=[0]),
        "regression",
        native,
    )


def cases():
    """(estimator's name, kind of table, task, fitted model, features of the held-out rows), one after the other."""
    from sklearn.base import clone

    for name, estimator, task, built in estimators():
        for kind in KINDS:
            for wanted in ("regression",) if task == "regression" else ("binary", "multiclass"):
                model = built(clone(estimator), kind)
                if model is None or (kind == "text" and name not in TEXT):
                    continue
                if wanted == "multiclass" and kind != "numbers" and built is pipeline:
                    continue
                frame, target = table(kind, wanted)
                positive = target - target.min() if "Poisson" in name else target
                model.fit(frame[:HELD], positive[:HELD])
                yield name, kind, wanted, model, frame[HELD:].reset_index(drop=True), target


def export(kit, folder, model, held, *, task, classes, wanted="auto", trusted=()):
    """The answer of the job; a model that ONNX cannot be is tried again with the types that skops asks for."""
    from mlops_ci.worker import frames, jobs

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    frames.write(held, folder / "features")
    request = {"job": "export", "kit": kit, "model": str(folder / "model.pkl"), "features": str(folder / "features")}
    request |= {"task": task, "classes": classes, "target": "y", "id": [], "nullable": [], "output": str(folder)}
    return jobs.attempt({**request, "format": wanted, "trusted": list(trusted)})


def other_cases():
    """Models that need more than an operator: odd names, columns nobody uses, searches, labels that are no text."""
    import numpy as np
    import pandas as pd
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, VotingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
    from sklearn.tree import DecisionTreeClassifier

    frame, target = table("missing", "binary")
    frame = frame.assign(a=frame["a"].fillna(0), flag=frame["b"] > 30, seen=1_700_000_000 + 997 * frame["count"])
    frame["a name, é"] = frame["b"] * 2
    frame["day"] = pd.to_datetime("2024-01-01") + pd.to_timedelta(frame["count"], "D")
    numbers, positive = ["a", "b", "count", "flag"], target == "yes"
    encoder = OneHotEncoder(handle_unknown="ignore")
    picked = ColumnTransformer([("n", StandardScaler(), ["a", "a name, é"]), ("o", encoder, ["colour", "count"])])
    trees = DecisionTreeClassifier(max_depth=3, random_state=0)
    grid = GridSearchCV(make_pipeline(StandardScaler(), trees), {"decisiontreeclassifier__max_depth": [2, 3]}, cv=2)
    voting = VotingClassifier([("line", LogisticRegression()), ("tree", trees)], voting="soft")
    native = HistGradientBoostingClassifier(max_iter=8, min_samples_leaf=5, categorical_features=["count"])
    for name, model, columns, labels in (
        ("odd names, and a date nobody uses", make_pipeline(picked, LogisticRegression()), list(frame), target),
        ("a search", grid, numbers, target),
        ("a vote", voting, numbers, target),
        ("a function", make_pipeline(FunctionTransformer(np.cbrt), LogisticRegression()), numbers, target),
        ("categorical numbers", native, numbers, target),
        ("large integers", make_pipeline(StandardScaler(), LogisticRegression()), [*numbers, "seen"], target),
        ("labels true and false", RandomForestClassifier(5, random_state=0), numbers, positive),
        ("labels 3 and 7", RandomForestClassifier(5, random_state=0), numbers, np.where(positive, 7, 3)),
    ):
        model.fit(frame[columns][:HELD], labels[:HELD])
        yield name, "other", "binary", model, frame[columns][HELD:].reset_index(drop=True), labels


def booster_cases():
    """XGBoost, LightGBM and CatBoost, behind preprocessing and alone, where they are installed."""
    import catboost
    import lightgbm
    import numpy as np
    import xgboost
    from sklearn.base import clone
    from sklearn.model_selection import GridSearchCV

    light = {"n_estimators": 10, "verbose": -1, "random_state": 0, "min_child_samples": 5}
    cat = {"iterations": 10, "depth": 3, "verbose": 0, "random_seed": 0, "allow_writing_files": False}
    extreme = {"n_estimators": 10, "random_state": 0, "max_depth": 3}
    for one in (
        lightgbm.LGBMClassifier(**light),
        lightgbm.LGBMRegressor(**light),
        xgboost.XGBClassifier(**extreme),
        xgboost.XGBRegressor(**extreme),
        catboost.CatBoostClassifier(**cat),
        catboost.CatBoostRegressor(**cat),
    ):
        name = type(one).__name__
        for wanted in ("binary", "multiclass") if name.endswith("Classifier") else ("regression",):
            for kind in ("alone",) if name.startswith("CatBoost") else ("numbers", "missing", "alone"):
                frame, target = table("missing" if kind == "alone" else kind, wanted)
                if name == "XGBClassifier":
                    target = np.unique(target, return_inverse=True)[1]
                frame = frame[["a", "b", "count"]] if kind == "alone" else frame
                model = clone(one) if kind == "alone" else pipeline(clone(one), kind)
                if kind == "numbers":  # a search keeps the model as it was made beside the one that was fitted
                    model = GridSearchCV(model, {f"{model.steps[-1][0]}__n_estimators": [10]}, cv=2)
                model.fit(frame[:HELD], target[:HELD])
                yield name, kind, wanted, model, frame[HELD:].reset_index(drop=True), target


def main(kit, root, cases):
    warnings.simplefilter("ignore")
    rows = []
    for number, (name, kind, task, model, held, target) in enumerate(cases):
        classes = [] if task == "regression" else sorted({str(value).lower() for value in target})
        folder = root / str(number)
        answer = export(kit, folder, model, held, task=task, classes=classes)
        trusted = [] if answer["ok"] else re.findall(r"not trusted: (.*)", answer["failure"]["message"])
        if trusted:
            names = trusted[0].split(", ")
            answer = export(kit, folder, model, held, task=task, classes=classes, wanted="skops", trusted=names)
        rows.append({"name": name, "kind": kind, "task": task, "answer": answer})
    print("rows:" + json.dumps(rows))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), {"boosters": booster_cases, "others": other_cases}.get(sys.argv[-1], cases)())
