"""Additions to pytest-benchmark's files: the machine, and the benchmarks that failed."""

from collections.abc import MutableMapping
from typing import Any

import pytest

from benchmarks.records.provenance import gpu_name, hardware, software


def pytest_benchmark_update_machine_info(machine_info: MutableMapping[str, Any]) -> None:
    """Add the hardware, with the GPU, and the versions of the software."""
    machine_info.update({**hardware(), **software(), "gpu": gpu_name()})


def pytest_benchmark_update_json(config: pytest.Config, output_json: MutableMapping[str, Any]) -> None:
    """Add the names of failed tests, because pytest-benchmark omits failed benchmarks from the file."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    output_json["failed"] = [report.nodeid for kind in ("failed", "error") for report in reporter.stats.get(kind, [])]
