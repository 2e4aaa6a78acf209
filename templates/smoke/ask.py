"""Ask what listens on this machine, once, or until it answers with 200 or so many seconds have passed.

Arguments: the port, the seconds, the path, and the pieces of a body of JSON. Prints the status, 0 where nobody
answered, and what was answered. Run inside the container: it has no network but its loopback.
"""

import http.client
import sys
import time

port, patience, path, *body = sys.argv[1:]
end = time.monotonic() + float(patience)
while True:
    try:
        server = http.client.HTTPConnection("127.0.0.1", int(port), timeout=60)
        method = "POST" if body else "GET"
        server.request(method, path, "".join(body) or None, {"Content-Type": "application/json"})
        answer = server.getresponse()
        status, content = answer.status, answer.read()
    except (OSError, http.client.HTTPException) as error:
        status, content = 0, str(error).encode()
    if status == 200 or time.monotonic() > end:
        break
    time.sleep(0.02)
sys.stdout.buffer.write(b"%d\n" % status + content)
