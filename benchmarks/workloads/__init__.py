"""Workloads: what is measured of a case, namely a module, its input and one pass. Only this room builds them.

Nothing is measured here: ``measure`` has the instruments. ``peers`` has the layers of other people.
"""
