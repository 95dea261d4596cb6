"""Conditions: what they say of a payload, and what is refused before it is kept."""

from __future__ import annotations

from typing import Any

import pytest

from novukit.model.condition import DEEPEST, MOST_PARTS, check, holds

FACTS = {
    "payload": {"amount": 150, "text": "150", "tags": ["a", "b"], "empty": [], "big": 10**400, "paid": True},
    "subscriber": {"data": {"region": "north"}, "locale": "de-DE"},
    "context": {"tenant": {"id": "acme", "data": {"plan": "gold"}}},
}


def _var(path: str) -> dict[str, str]:
    return {"var": path}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"==": [_var("payload.amount"), 150]}, True),
        ({"==": [_var("payload.text"), 150]}, True),
        ({"===": [_var("payload.text"), 150]}, False),
        ({"===": [_var("payload.paid"), 1]}, False),
        ({"!=": [_var("subscriber.data.region"), "south"]}, True),
        ({"!==": [_var("payload.amount"), 150]}, False),
        ({">": [_var("payload.amount"), 100]}, True),
        ({">=": [_var("payload.amount"), 151]}, False),
        ({"<": [100, _var("payload.amount"), 200]}, True),
        ({"<=": [100, _var("payload.amount"), 149]}, False),
        ({"<": [_var("payload.nothing"), 1]}, False),
        ({"<": ["a", "b"]}, True),
        ({">": [_var("payload.big"), 1]}, False),
        ({"in": ["a", _var("payload.tags")]}, True),
        ({"in": ["or", _var("subscriber.data.region")]}, True),
        ({"in": ["a", _var("payload.nothing")]}, False),
        ({"startsWith": [_var("subscriber.locale"), "de"]}, True),
        ({"endsWith": [_var("subscriber.locale"), "de"]}, False),
        ({"==": [_var("context.tenant.data.plan"), "gold"]}, True),
        ({"==": [_var("payload.tags.1"), "b"]}, True),
        ({"==": [{"var": ["payload.nothing", 7]}, 7]}, True),
        ({"!": _var("payload.empty")}, True),
        ({"!!": [_var("payload.tags")]}, True),
        ({"and": [True, _var("payload.paid")]}, True),
        ({"and": [_var("payload.empty"), True]}, False),
        ({"or": [False, 0, ""]}, False),
        ({"if": [_var("payload.nothing"), False, _var("payload.paid"), True, False]}, True),
    ],
)
def test_a_condition_holds_or_not(condition: dict[str, Any], expected: bool) -> None:
    """As JsonLogic has it; what is not there is equal to nothing and has no order."""
    assert [] == check(condition, "/condition")
    assert expected is holds(condition, FACTS)


@pytest.mark.parametrize(
    ("condition", "path", "code"),
    [
        ([], "/c", "wrong_type"),
        ({}, "/c", "wrong_type"),
        ({"==": [1, 1], "!": [1]}, "/c", "wrong_type"),
        ({"like": ["a", "b"]}, "/c/like", "unknown_operator"),
        ({"and": [{"a/b": 1}]}, "/c/and/0/a~1b", "unknown_operator"),
        ({"==": [1]}, "/c/==", "wrong_number"),
        ({"var": [5]}, "/c/var", "wrong_type"),
        ({"and": [[1] * MOST_PARTS]}, "/c", "too_large"),
    ],
)
def test_what_is_no_condition_is_refused_by_its_place(condition: Any, path: str, code: str) -> None:
    """With a pointer to the operator."""
    assert (path, code) in [(issue.path, issue.code) for issue in check(condition, "/c")]


def test_a_condition_that_is_nested_too_deeply_is_refused() -> None:
    """However deep: it is not followed to its end."""
    condition: Any = True
    for _ in range(10_000):
        condition = {"!": condition}
    (issue,) = check(condition, "/c")
    assert ("too_deep", DEEPEST) == (issue.code, issue.path.count("/0") - 1)
