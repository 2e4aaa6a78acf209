"""Functions Framework (Cloud Run functions, Knative): `mlops_ci_serving.functions.predict`.

https://github.com/GoogleCloudPlatform/functions-framework-python
"""

from __future__ import annotations

from typing import Any

from ..direct import from_environment

_direct = from_environment()  # when the function starts, not when it is first asked


def predict(request: Any) -> tuple[bytes, int, dict[str, str]]:
    """Answer a request of Flask: body, status and headers."""
    answer = _direct.ask(request.method, request.path, request.headers.items(), request.get_data)
    return answer.body, answer.status, answer.headers
