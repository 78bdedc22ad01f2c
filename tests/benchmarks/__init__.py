"""Benchmarks: each is run by hand, prints its table and asserts nothing. Ratios of one run are to be read, not seconds.

`NST_WEIGHTS=… python -m tests.benchmarks.step`, likewise memory, page.
"""
