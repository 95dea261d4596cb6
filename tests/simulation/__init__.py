"""Whole novukits on one virtual clock, with faults drawn from a seed: ``python -m tests.simulation --seed 7`` replays."""
