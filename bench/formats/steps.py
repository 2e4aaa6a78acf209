"""What people put before an estimator, step by step: each before a logistic regression of two classes."""

from __future__ import annotations

from bench.formats.tables import HELD, table

NUMBERS = ["a", "b", "count"]


def steps():
    """(name, kind of table, step, its columns)."""
    import numpy as np
    from sklearn import decomposition, feature_extraction, feature_selection, impute, preprocessing

    frequent = {"handle_unknown": "infrequent_if_exist", "min_frequency": 0.24, "sparse_output": False}
    ignoring = frequent | {"handle_unknown": "ignore", "drop": "first"}
    words = feature_extraction.text
    for name, step in (
        ("StandardScaler", preprocessing.StandardScaler()),
        ("MinMaxScaler", preprocessing.MinMaxScaler()),
        ("MaxAbsScaler", preprocessing.MaxAbsScaler()),
        ("RobustScaler", preprocessing.RobustScaler()),
        ("Normalizer", preprocessing.Normalizer()),
        ("Binarizer", preprocessing.Binarizer(threshold=2.0)),
        ("PowerTransformer", preprocessing.PowerTransformer()),
        ("QuantileTransformer", preprocessing.QuantileTransformer(n_quantiles=20, random_state=0)),
        ("KBinsDiscretizer", preprocessing.KBinsDiscretizer(encode="onehot-dense", quantile_method="linear")),
        ("PolynomialFeatures", preprocessing.PolynomialFeatures(2)),
        ("SplineTransformer", preprocessing.SplineTransformer()),
        ("PCA", decomposition.PCA(2)),
        ("TruncatedSVD", decomposition.TruncatedSVD(2, random_state=0)),
        ("SelectKBest", feature_selection.SelectKBest(k=2)),
        ("VarianceThreshold", feature_selection.VarianceThreshold()),
        ("FunctionTransformer(np.expm1)", preprocessing.FunctionTransformer(np.expm1)),
    ):
        yield name, "numbers", step, NUMBERS
    for name, function in (("np.log1p", np.log1p), ("np.sqrt", np.sqrt), ("np.cbrt", np.cbrt)):
        yield f"FunctionTransformer({name})", "numbers", preprocessing.FunctionTransformer(function), ["b", "count"]
    for name, step in (
        ("SimpleImputer", impute.SimpleImputer()),
        ("SimpleImputer with an indicator", impute.SimpleImputer(add_indicator=True)),
        ("SimpleImputer of a constant", impute.SimpleImputer(strategy="constant", fill_value=-1.0)),
        ("KNNImputer", impute.KNNImputer()),
    ):
        yield name, "missing", step, NUMBERS
    for name, step in (
        ("OneHotEncoder", preprocessing.OneHotEncoder(handle_unknown="ignore", sparse_output=False)),
        ("OneHotEncoder that drops the first", preprocessing.OneHotEncoder(drop="first", sparse_output=False)),
        ("OneHotEncoder of what is frequent", preprocessing.OneHotEncoder(**frequent)),
        ("OneHotEncoder of what is frequent, ignoring", preprocessing.OneHotEncoder(**ignoring)),
        ("OrdinalEncoder", preprocessing.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)),
        ("TargetEncoder", preprocessing.TargetEncoder()),
    ):
        yield name, "categories", step, ["colour"]
    for name, step in (
        ("CountVectorizer", words.CountVectorizer()),
        ("TfidfVectorizer", words.TfidfVectorizer()),
        ("TfidfVectorizer of pairs of words", words.TfidfVectorizer(ngram_range=(1, 2))),
        ("TfidfVectorizer of letters", words.TfidfVectorizer(analyzer="char", ngram_range=(2, 3))),
        ("HashingVectorizer", words.HashingVectorizer(n_features=64)),
    ):
        yield name, "text", step, "note"


def cases():
    """(step's name, kind of table, task, fitted model, features of the held-out rows), one after the other."""
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    for name, kind, step, columns in steps():
        frame, target = table(kind, "binary")
        rest = [] if columns is NUMBERS else [("numbers", "passthrough", NUMBERS)]
        picked = ColumnTransformer([("step", step, columns), *rest], sparse_threshold=0)
        model = make_pipeline(picked, LogisticRegression(max_iter=1000))
        model.fit(frame[:HELD], target[:HELD])
        yield name, kind, "binary", model, frame[HELD:].reset_index(drop=True), target
