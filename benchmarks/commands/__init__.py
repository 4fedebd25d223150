"""The commands of ``python -m benchmarks``, one file each; ``options`` has the options that several commands share.

A command parses its options, calls functions of the other folders, and prints their results. Its ``main`` returns the
exit status. It raises ``ValueError``, ``OSError`` or ``RuntimeError`` for a wrong request, and ``Interrupted`` on
Ctrl-C; ``benchmarks.__main__`` prints these errors on one line.
"""
