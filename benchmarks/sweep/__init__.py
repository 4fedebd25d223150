"""Cases become records: blocks of contenders, measured in turns in fresh processes.

The instruments are in ``measure``; training has rooms of its own, ``training`` and ``studies``.
"""
