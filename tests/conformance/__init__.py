"""The conformance kit itself: a provider that keeps the contract passes, and one with a historic bug is caught."""
