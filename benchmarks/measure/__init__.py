"""The instruments: each file takes one quantity. ``benchmarks.measurement`` uses them all on one case."""
