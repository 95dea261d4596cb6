"""Novu's bridge protocol, served: Novu's server can discover our workflows and run them step by step."""

from .app import BridgeProtocol, Keys
from .door import of_runtime

__all__ = ["BridgeProtocol", "Keys", "of_runtime"]
