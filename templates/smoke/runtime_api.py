"""AWS Lambda around a program: its Runtime API for the program, and the call that invokes the function for whoever asks.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
Arguments: a port, and the program with its arguments. Ends when the program does. Run inside the container, as an image
for Lambda does nothing where there is no Lambda.
"""

import os
import queue
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

INVOKE = "/2015-03-31/functions/function/invocations"
RUNTIME = "/2018-06-01/runtime"
ADDRESS = ("127.0.0.1", int(sys.argv[1]))
HEADERS = {
    "Lambda-Runtime-Aws-Request-Id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
    "Lambda-Runtime-Deadline-Ms": "4102444800000",
    "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:123456789012:function:function",
    # Without it AWS's client ends with a segmentation fault; Lambda always sends it.
    "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=1",
}
events, answers, one_at_a_time = queue.Queue(), queue.Queue(), threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == f"{RUNTIME}/invocation/next":
            self.reply(200, events.get(), HEADERS)
        else:
            self.reply(404, b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == INVOKE:
            with one_at_a_time:
                events.put(body)
                self.reply(*answers.get())
            return
        if self.path == f"{RUNTIME}/init/error":
            print(body.decode("utf-8", "replace"), flush=True)
        else:
            answers.put((200 if self.path.endswith("/response") else 502, body))
        self.reply(202, b"{}")

    def reply(self, status, body, headers=()):
        self.send_response(status)
        for name, value in {**dict(headers), "Content-Type": "application/json"}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(ADDRESS, Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
told = {**os.environ, "AWS_LAMBDA_RUNTIME_API": "%s:%d" % ADDRESS, "AWS_LAMBDA_FUNCTION_NAME": "function"}
code = subprocess.run(sys.argv[2:], env=told).returncode
sys.stdout.flush()
os._exit(code if code >= 0 else 128 - code)
