"""The commands of ``python -m benchmarks``, one file each; ``options`` has the options that several commands share.

A command parses its options, calls functions of the other rooms, and prints their results.
"""
