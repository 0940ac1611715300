"""Comparisons between training conditions: held-out suites, runs that accumulate, statistics, one report."""
