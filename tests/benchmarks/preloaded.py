"""Import what the tests' processes need; the process server of the tests imports this module once."""

import benchmarks.profiling.worker
import benchmarks.sweep.probe
import benchmarks.sweep.worker
import benchmarks.training.preloaded  # noqa: F401
