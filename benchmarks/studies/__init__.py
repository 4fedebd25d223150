"""Studies: comparisons of networks at matched budgets, and verdicts on the paper's claims; docs/studies.md.

Here widths and learning rates are decided, independent training runs are sent to workers, and records become tables and
verdicts. ``training`` trains each run, and ``commands`` prints the tables and verdicts.
"""
