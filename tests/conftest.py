"""The tests' environment and their seed: without a GPU, Triton interprets its kernels on the processor."""

import faulthandler
import os
import random
import signal
import tempfile
from pathlib import Path

import pytest
import torch

# A shell that starts the tests in the background makes them ignore these signals, which some tests send.
for number, action in [(signal.SIGINT, signal.default_int_handler), (getattr(signal, "SIGQUIT", None), signal.SIG_DFL)]:
    if number is not None and signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, action)

if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"  # before anything imports triton

# The same algorithms on every machine; test_calibration.py measures.
os.environ["GCNN_IMPL_CALIBRATION"] = "0"

# The same random inputs in every run, so that a failure tells of a change. GCNN_TEST_SEED=new, each night, draws a seed
# and prints it; GCNN_TEST_SEED=N repeats that run. Tests that run in parallel inherit the seed from the environment.
if os.environ.setdefault("GCNN_TEST_SEED", "0") == "new":
    os.environ["GCNN_TEST_SEED"] = str(random.SystemRandom().randrange(2**31))
SEED = os.environ["GCNN_TEST_SEED"]
ORACLE = "relative errors, compared with the oracle"


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(int(SEED))


@pytest.hookimpl(trylast=True)  # after pytest's own fault handler
def pytest_configure(config):
    if hasattr(config, "workerinput"):  # one of many processes: what it prints as it crashes is lost among the others'
        path = Path(os.environ["GCNN_TEST_CRASHES"], config.workerinput["workerid"])
        stream = path.open("w")
        config.add_cleanup(stream.close)
        faulthandler.enable(stream)
    else:
        folder = tempfile.TemporaryDirectory()
        config.add_cleanup(folder.cleanup)
        os.environ["GCNN_TEST_CRASHES"] = folder.name


def pytest_report_header():
    return f"GCNN_TEST_SEED={SEED}"


def pytest_terminal_summary(terminalreporter):
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    found = [value for report in reports for name, value in getattr(report, "user_properties", []) if name == ORACLE]
    errors = [error for case in found for error in case]
    for path in sorted(Path(os.environ["GCNN_TEST_CRASHES"]).iterdir()):
        text = path.read_text(errors="replace")
        if text and terminalreporter.stats.get("failed"):  # some tests let a process crash that inherits the file
            terminalreporter.section(f"native crash in {path.name}, or in a process that it started")
            terminalreporter.write_line(text)
    if errors:
        terminalreporter.write_line(f"oracle: {len(errors)} cases, largest relative error {max(errors):.1e}")
