"""Records → tidy DataFrames, and which of their rows may be shown, counted and compared with one another.

The room holds the columns, the frames, the choice of rows, and the history that the suites stored. No statistic is
computed here; that is the work of `arithmetic/`.
"""
