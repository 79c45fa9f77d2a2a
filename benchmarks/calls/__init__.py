"""Calls that speak at the same time, and how many can be set up: what voice costs on one core."""
