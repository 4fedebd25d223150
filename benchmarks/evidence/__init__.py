"""Programs that show how far the measurements can be trusted: A/A trials, artificial slowdowns, agreement, peers.

Run them with ``python -m benchmarks.evidence.NAME``: each takes minutes to hours, and prints a table for docs/.
"""
