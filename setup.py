"""The packages of the wheel. ``gcnn_bench``'s docstring says why the suite's two packages are inside of it."""

from setuptools import find_packages, setup

SUITE = ("benchmarks", "reports")
IN_SUITE = find_packages(include=[pattern for name in SUITE for pattern in (name, f"{name}.*")])

setup(
    packages=[
        *find_packages(include=["gcnn_impl", "gcnn_impl.*", "gcnn_bench"]),
        *(f"gcnn_bench.suite.{name}" for name in IN_SUITE),
    ],
    package_dir={f"gcnn_bench.suite.{name}": name for name in SUITE},
)
