"""Studies: comparisons of networks at matched budgets, and what they say about the paper's claims; docs/studies.md.

Here widths and learning rates are decided, independent training runs are sent to workers, and records become tables and
verdicts. One run is trained in ``training``, and ``commands`` prints.
"""
