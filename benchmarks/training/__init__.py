"""Accuracy against epochs, seconds, MACs and memory: a ``benchmarks.cases.training_run.TrainingRun`` → a record.

``loop`` trains a run, ``study`` trains those that a store lacks, each in a process of its own; docs/training.md.
"""
