"""Workloads: the module, the input and the pass of a case. Only this package builds them.

Nothing is measured here: ``measure`` has the instruments. ``peers`` builds other people's layers.
"""
