"""What is remembered: the only SQL. Every function about an environment's rows takes that environment's ``Scope``."""

from .database import Database, Scope

__all__ = ["Database", "Scope"]
