"""Two commits of ``gcnn_impl``, measured in turns by the benchmarks of this checkout.

Two sets of stored results are compared in ``answers.differences``.
"""
