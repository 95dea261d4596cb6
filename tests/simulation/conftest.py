"""The harness of the cases, for the schedules that the simulation has found."""

from __future__ import annotations

from ..cases.conftest import novukit

__all__ = ["novukit"]
