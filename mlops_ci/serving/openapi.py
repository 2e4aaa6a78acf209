"""The description of the HTTP interface, made from the signature."""

from __future__ import annotations

from typing import Any

from .model import Model


def document(model: Model, version: str) -> dict[str, Any]:
    """An OpenAPI 3.1 document."""
    return {"openapi": "3.1.0", "info": {"title": model.serving.project, "version": version}, "paths": {}}
