"""`python -m bench.serving [--seconds 10] [--json]`: what `make bench-serve` runs."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from bench.serving.floor import floor
from bench.serving.measure import Served, measured
from bench.serving.models import MODELS, made
from bench.serving.peers import MLFLOW, OURS, PEERS
from bench.serving.table import claims, limit, table


def main() -> int:
    parser = argparse.ArgumentParser("python -m bench.serving", description=__doc__)
    parser.add_argument("--seconds", type=int, default=10, help="of load, a server, a model and a way")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="this server too, beside ours")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    options = parser.parse_args()
    peers = [peer for peer in PEERS if not options.only or peer.name in (OURS, *options.only)]
    found: list[Served] = []
    with tempfile.TemporaryDirectory() as folder:
        for number, name in enumerate(MODELS):
            model = made(name, Path(folder) / f"project-{number}")
            for peer in peers:
                print(f"{name}: {peer.name}", file=sys.stderr, flush=True)
                place = Path(folder) / f"{number}-{peers.index(peer)}"
                found.append(measured(peer, model, place, seconds=options.seconds))
        body = json.dumps(peers[0].body(model.columns, model.rows[0])).encode()
        reached = floor(Path(folder) / "floor", body, seconds=options.seconds)
    if options.json:
        print(json.dumps([asdict(served) for served in found], indent=1))
        return 0
    print(table(found))
    print(limit(reached))
    if any(served.peer == MLFLOW for served in found):
        told = claims(found, reached)
        print("\n".join(f"{'holds' if holds else 'DOES NOT HOLD'}: {text}" for text, holds in told))
        return 0 if all(holds for _, holds in told) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
