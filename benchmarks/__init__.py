"""How the cost of group convolutions is measured: case → workload → measure → record. ``python -m benchmarks --help``."""
