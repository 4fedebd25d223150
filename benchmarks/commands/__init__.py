"""The commands of ``python -m benchmarks``, one file each; ``options`` has the options that several commands share.

A command parses its options, calls functions of the other folders, and returns a ``Result`` of what they found: a
value for programs, lines for people and the exit status. It raises ``ValueError``, ``OSError`` or ``RuntimeError`` for
a wrong request, and ``Interrupted`` on Ctrl-C. ``benchmarks.terminal.run`` prints the result, and errors on one line.
"""
