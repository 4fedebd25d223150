"""The instruments: each file measures one quantity of a workload, and ``sweep.probe`` applies all of them to one case.

``statistics`` summarises and compares the samples.
"""
