"""The sweep, which measures cases and stores records: the contenders of a block take turns in fresh processes.

The instruments are in ``measure``; training is in ``training`` and ``studies``.
"""
