"""Measurements of two commits of ``gcnn_impl``, in turns, by the benchmarks of this checkout.

Two sets of stored results are compared in ``answers.differences``.
"""
