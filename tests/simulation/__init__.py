"""Whole novukits on one virtual clock, under faults drawn from a seed: ``python -m tests.simulation --seed 7``."""
