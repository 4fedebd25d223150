"""What group convolutions cost: case → workload → measure → record. See ``python -m benchmarks --help``."""
