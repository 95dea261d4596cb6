"""Tests of what can be seen from outside."""
