"""Benchmarks of group convolutions: case → workload → measure → record. See ``python -m benchmarks --help``."""
