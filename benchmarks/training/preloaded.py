"""Import what training runs need; the process server imports this module once, so that each run starts at once.

The digits need scikit-learn and SciPy, which take 1 s to import. Other data sets do without, and then may be missing.
"""

import contextlib

import benchmarks.training.loop

with contextlib.suppress(ImportError):
    import benchmarks.datasets.digits  # noqa: F401
