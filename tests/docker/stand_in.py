"""Stands in for the serving runtime in bundles of these tests: a straight line over HTTP."""

import hashlib
import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

BUNDLE = Path(sys.argv[1])
MODEL = json.loads((BUNDLE / "model.onnx").read_bytes())
GOLDEN = json.loads((BUNDLE / "golden.json").read_bytes())


def answers(rows):
    return [{"prediction": float(MODEL["slope"] * row[0] + MODEL["offset"])} for row in rows]


def fingerprint(found):
    values = {"prediction": [round(each["prediction"] / GOLDEN["quantum"]) for each in found]}
    return hashlib.sha256(json.dumps(values, separators=(",", ":"), sort_keys=True).encode()).hexdigest()


def check():
    digest = hashlib.sha256((BUNDLE / "manifest.json").read_bytes()).hexdigest()
    found = fingerprint(answers(GOLDEN["rows"]))
    if found != GOLDEN["fingerprint"]:
        return {"error": {"code": "bundle", "message": "the golden rows are answered otherwise"}}
    return {"digest": f"sha256:{digest}", "fingerprint": found}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.reply({"status": "ok"})

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.reply({"predictions": answers(asked["dataframe_split"]["data"])})

    def reply(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


if "--check" in sys.argv:
    print(json.dumps(check()))
    print("what a library says at its end", file=sys.stderr)
    sys.exit("error" in check())
HTTPServer(("0.0.0.0", int(sys.argv[sys.argv.index("--port") + 1])), Handler).serve_forever()
