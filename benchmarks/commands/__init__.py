"""The command line, one file for each command, with the options that several share in ``options``.

A command parses, calls and prints: what it calls is in the other rooms.
"""
