"""Payload: held to the JSON Schema that was synced, so that a server needs no author's code to refuse a bad one."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import jsonschema_rs

from ..errors import Issue, PayloadInvalid
from ..model import StoredWorkflow

SAID = 20
"""How many problems are named at once."""


def check_payload(workflow: StoredWorkflow, payload: dict[str, Any]) -> None:
    """Raise :class:`PayloadInvalid`, naming each field, unless ``payload`` fits the workflow's schema."""
    if workflow.spec.payload_schema is None:
        return
    validator = _validator(json.dumps(workflow.spec.payload_schema, sort_keys=True))
    issues = [_issue(error) for _, error in zip(range(SAID), validator.iter_errors(payload), strict=False)]
    if issues:
        first = f"{issues[0].path}: {issues[0].message}"
        more = f" ({len(issues) - 1} more)" if len(issues) > 1 else ""
        raise PayloadInvalid(f"The payload does not fit workflow {workflow.spec.id!r}: {first}{more}", issues=issues)


def _issue(error: Any) -> Issue:
    path = "/payload" + "".join(f"/{part}" for part in error.instance_path)
    return Issue(path, "/".join(map(str, error.schema_path)), error.message[:300])


@lru_cache(maxsize=256)
def _validator(schema: str) -> Any:
    return jsonschema_rs.validator_for(json.loads(schema), validate_formats=True)
