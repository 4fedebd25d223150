"""The instruments: each file takes one quantity of a workload. ``sweep.probe`` uses them all on one case.

What samples say is computed in ``statistics``.
"""
