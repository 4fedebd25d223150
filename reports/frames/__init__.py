"""Records → tidy DataFrames, and which of their rows may be shown, counted and compared with one another.

The folder has the columns, the frames, the choice of rows, and the history of the suites. No statistic is
computed here; that is the work of `arithmetic/`.
"""
