"""Training of networks: a ``benchmarks.cases.training_run.TrainingRun`` becomes a record; docs/training.md.

``loop`` trains one run, ``missing`` trains the runs that a store lacks, each in its own process. What a run consists of
is declared in ``cases``, images come from ``datasets``, and comparisons of networks are made in ``studies``.
"""
