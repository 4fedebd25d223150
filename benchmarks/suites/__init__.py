"""The asv suite and the pytest-benchmark suite: their common points, the benchmarks, the gate, asv's pages.

``records.suite_results`` reads the result files of both suites. The records of the report come from ``sweep``.
"""
