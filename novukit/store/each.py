"""``each``: a list of keys as a table that Postgres looks up one by one, whatever it believes about the other one.

While a table is young its statistics are those of an empty one, and plans are kept. Then it seems cheaper to read a
whole environment and to compare each row with the list than to look into an index a few times: a hundred times the work
once the table has grown. Two things leave no choice: to the planner such a list has one row (a range of unknown numbers
is thought to hold the two-hundredth part), and its environment is known only row by row, so there is none to read as a
whole. Which index it takes for a row is left to the newest among equals (migration 0010). Only of a table that was
emptied it knows too much: until autovacuum has counted again, a minute later, it holds it for a single row.
"""

from __future__ import annotations

ONE_ROW = "nth between 1 and 1000000000"
"""What makes a list of ``nth`` rows one row to the planner."""


def row_by_row(value: str) -> str:
    """``value``, which is the same for all rows of the list, as something that only its rows know."""
    return f"case when nth > 0 then {value} end"


def each(kind: str, *, environment: int = 1, keys: int = 2) -> str:
    """The table ``each(environment_id, key)`` of the arguments with these numbers; the keys are a list of ``kind``."""
    return (
        f"(select {row_by_row(f'${environment}::uuid')} as environment_id, key "
        f"from unnest(${keys}::{kind}[]) with ordinality as listed(key, nth) where {ONE_ROW}) as each"
    )


def not_by_index(condition: str) -> str:
    """``condition``, but never a reason to take an index that begins with its column: another one leads to the row."""
    return f"({condition}) is true"
