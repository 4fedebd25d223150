"""What all tests of commands share: they run as on a machine without a GPU."""

import pytest


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.commands.options.find_gpu", lambda: None)
