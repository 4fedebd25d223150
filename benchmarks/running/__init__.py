"""How work runs: a function in its own process, the environment that measuring needs, and the work that a store lacks.

What the work is (a case, a training run) is decided by ``sweep``, ``training`` and ``studies``.
"""
