"""AWS Lambda: `mlops_ci_serving.aws.handler`, for HTTP APIs, function URLs, and invocations with MLflow's JSON.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html (format 2.0)
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from ..binary import CONTENT_TYPE
from ..direct import Answer, from_environment

_direct = from_environment()  # when the function starts, not when it is first asked


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Answer one event: of a gateway as a gateway wants it, else as `/invocations` answers its JSON."""
    request = getattr(context, "aws_request_id", "") or ""
    told = event.get("requestContext") if isinstance(event, dict) else None
    http = told.get("http") if isinstance(told, dict) else None
    if not isinstance(http, dict):
        headers = [("content-type", "application/json"), ("x-request-id", request)]
        answer = _direct.ask("POST", "/invocations", headers, json.dumps(event).encode)
        return dict(json.loads(answer.body))
    return _to_gateway(_from_gateway(event, http, request))


def _from_gateway(event: dict[str, Any], http: dict[str, Any], request: str) -> Answer:
    path, stage = event.get("rawPath", "/"), event["requestContext"].get("stage", "$default")
    if stage != "$default" and path.startswith(f"/{stage}/"):
        path = path.removeprefix(f"/{stage}")
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    headers.setdefault("x-request-id", request)
    headers.pop("content-length", None)  # of the body as it was sent; what counts is what is here
    try:
        body = _body(event)
    except (binascii.Error, ValueError):
        return Answer(400, {"content-type": "application/json"}, _NOT_BASE64)
    headers["content-length"] = str(len(body))
    return _direct.ask(http.get("method", "GET"), path, headers.items(), lambda: body)


def _body(event: dict[str, Any]) -> bytes:
    text = event.get("body") or ""
    return base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()


def _to_gateway(answer: Answer) -> dict[str, Any]:
    headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
    packed = headers["content-type"] == CONTENT_TYPE.decode()  # tensors; all else is text
    body = base64.b64encode(answer.body).decode() if packed else answer.body.decode()
    return {"statusCode": answer.status, "headers": headers, "body": body, "isBase64Encoded": packed}


_NOT_BASE64 = b'{"error":{"code":"not_base64","message":"the body is said to be base64, and is not","where":""}}'
