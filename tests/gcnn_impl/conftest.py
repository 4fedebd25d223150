import os
import random

import pytest
import torch

# New random inputs in every run; set GCNN_TEST_SEED to a printed seed to repeat that run.
SEED = int(os.environ.get("GCNN_TEST_SEED", random.SystemRandom().randrange(2**31)))

_oracle_errors: list[float] = []


def pytest_report_header(config):
    return f"GCNN_TEST_SEED={SEED}"


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(SEED)


@pytest.fixture
def oracle_errors() -> list[float]:
    """Return the list of relative errors compared with the oracle, which is summarised at the end of the run."""
    return _oracle_errors


def pytest_terminal_summary(terminalreporter):
    if _oracle_errors:
        worst = max(_oracle_errors)
        terminalreporter.write_line(f"oracle: {len(_oracle_errors)} cases, largest relative error {worst:.1e}")
