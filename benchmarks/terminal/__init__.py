"""What the commands of ``benchmarks`` and of ``reports`` share: the parser, and how results and errors are printed.

A command's ``main`` returns a ``Result``; ``run`` prints it, as lines for people or, with ``--json``, as one JSON
object. No module here needs torch.
"""
