"""What pytest-benchmark's files say besides the times: where they were taken, and which benchmarks failed."""

from collections.abc import MutableMapping
from typing import Any

import pytest

from benchmarks.records.provenance import gpu_name, hardware, software


def pytest_benchmark_update_machine_info(machine_info: MutableMapping[str, Any]) -> None:
    """Add the hardware, the GPU among it, and the versions."""
    machine_info.update({**hardware(), **software(), "gpu": gpu_name()})


def pytest_benchmark_update_json(config: pytest.Config, output_json: MutableMapping[str, Any]) -> None:
    """Add the names of failed tests: a benchmark that fails is missing from the file, and nobody would miss it."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    output_json["failed"] = [report.nodeid for kind in ("failed", "error") for report in reporter.stats.get(kind, [])]
