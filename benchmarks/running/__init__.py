"""A function call in its own process, the environment variables for measuring, and the work that a store lacks.

The functions that measure cases and train are in ``sweep``, ``training`` and ``studies``.
"""
