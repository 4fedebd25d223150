"""The asv suite and the pytest-benchmark suite: the points both measure, the benchmarks, the gate, asv's pages.

``records.suite_results`` reads their result files. The sweep, which makes the records of the report, is in ``sweep``.
"""
