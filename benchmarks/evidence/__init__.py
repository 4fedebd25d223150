"""Programs that show how far the measurements can be trusted: A/A trials, planted slowdowns, agreement, peers.

Each runs with ``python -m benchmarks.evidence.NAME``, takes minutes to hours and prints a table that docs/ cites.
"""
