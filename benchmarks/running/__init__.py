"""The ways in which work runs: a function in its own process, the environment for measuring, the work a store lacks.

The work itself (cases, training runs) is in ``sweep``, ``training`` and ``studies``.
"""
