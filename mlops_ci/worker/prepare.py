"""The job `prepare`: the project's function makes one table of its sources."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import entrypoints, fit
from .failures import Failure, user_code


def run(request: dict[str, Any]) -> dict[str, Any]:
    """entrypoint, sources (name -> {"frame": folder} or {"files": paths}), seed, output -> a frame folder in output."""
    fit.need_pandas("the prepare function")
    import pandas as pd

    from . import frames

    fit.seed_everything(int(request.get("seed", 0)))
    function = entrypoints.load(request["entrypoint"], setting="data.prepare", arguments=("sources",))
    sources = {name: _source(name, source) for name, source in request["sources"].items()}
    with user_code("preparing the data"):
        table = function(sources)
    if not isinstance(table, pd.DataFrame):
        found = "nothing" if table is None else f"a {type(table).__name__}"
        message = f"{request['entrypoint']} returned {found}"
        raise Failure("unusable", message, "return one pandas DataFrame", where="data.prepare")
    frames.write(table, Path(request["output"]))
    return {"rows": len(table), "columns": len(table.columns)}


def _source(name: str, source: dict[str, Any]) -> Any:
    import pandas as pd

    from . import frames

    if "frame" in source:
        return frames.read(Path(source["frame"]))
    with user_code(f"reading the source {name}"):
        parts = [_file(path) for path in source["files"]]
        return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)


def _file(path: str) -> Any:
    import pandas as pd

    name = path.lower()
    if name.endswith((".parquet", ".pq")):
        return pd.read_parquet(path)
    if name.endswith((".csv", ".csv.gz")):
        return pd.read_csv(path)
    if name.endswith((".tsv", ".tsv.gz")):
        return pd.read_csv(path, sep="\t")
    if name.endswith((".jsonl", ".ndjson", ".jsonl.gz")):
        return pd.read_json(path, lines=True)
    if name.endswith(".json"):
        return pd.read_json(path)
    known = "known: .parquet, .csv, .tsv, .jsonl, .json"
    raise Failure("unusable", f"{Path(path).name} is no kind of file that is known", known, where="data.sources")
