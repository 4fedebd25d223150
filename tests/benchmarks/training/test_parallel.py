"""Processes that share every batch: they train the same network as one process, up to rounding."""

import dataclasses
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks.cases.case import InvalidCase
from benchmarks.records.record import Record
from benchmarks.records.store import RecordStore
from benchmarks.training.loop import train
from benchmarks.training.parallel import Share
from tests.benchmarks.training.tiny_digits import RUN, tiny_digits

ROOT = Path(__file__).resolve().parents[3]
SMALL = (
    "--variant separable --resolution 2 --channels 2 --kernel-size 3 --image-size 9 "
    "--limit 40 --batch-size 9 --seeds 1 --learning-rate 1e-6"
)
PASS = Path(__file__).with_name("one_pass.py")


def in_processes(count: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the arguments under torchrun, or without torchrun for one process."""
    torchrun = ["-m", "torch.distributed.run", "--nproc-per-node", str(count)] if count > 1 else []
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *torchrun, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("size", [1, 2, 7, 64])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_shares_cover_all_rows_and_are_nearly_equal(size: int, count: int) -> None:
    rows = [range(size)[Share(rank, count).rows(size)] for rank in range(count)]
    assert [*itertools.chain(*rows)] == [*range(size)]
    assert max(map(len, rows)) - min(map(len, rows)) <= 1


def test_a_wrong_number_of_processes_gives_an_error_that_says_how_to_start_them() -> None:
    with pytest.raises(
        InvalidCase, match="processes 2 is not allowed; allowed: 1, as many as are running; start 2 with torchrun"
    ):
        train(dataclasses.replace(RUN, processes=2), data=tiny_digits())


def test_two_processes_have_the_same_gradients_and_statistics_as_one(tmp_path: Path) -> None:
    results = []
    for count in (1, 2):
        path = tmp_path / f"{count}.pt"
        done = in_processes(count, str(PASS), str(path))
        assert done.returncode == 0, done.stderr
        results.append(torch.load(path, weights_only=True))
    one, two = results
    assert one.keys() == two.keys()
    for name in one:
        torch.testing.assert_close(two[name], one[name], rtol=1e-9, atol=1e-11, msg=name)


def train_command(count: int, results: Path, *options: str) -> tuple[Record, str]:
    """Train one small run with the command; return its record and the printed text."""
    done = in_processes(count, "-m", "benchmarks", "train", *SMALL.split(), *options, "--results", str(results))
    assert done.returncode == 0, done.stderr
    (record,) = RecordStore(results).load()
    return record, done.stdout


def test_two_processes_train_the_same_network_as_one(tmp_path: Path) -> None:
    (one, _), (two, printed) = (train_command(count, tmp_path / str(count), "--epochs", "2") for count in (1, 2))
    assert (one["run"]["processes"], two["run"]["processes"]) == (1, 2)
    for key in ("train_loss", "validation_loss"):
        first, second = ([epoch[key] for epoch in record["epochs"][1:]] for record in (one, two))
        assert second == pytest.approx(first, rel=1e-4)
    assert [epoch["macs"] for epoch in two["epochs"]] == [epoch["macs"] for epoch in one["epochs"]]
    assert two["status"] == "ok"
    assert "trained 1, failed 0, 0 already there" in printed
    assert json.dumps(two["provenance"]["glibc_tunables"]) == json.dumps(one["provenance"]["glibc_tunables"])


def test_processes_stop_together_when_a_budget_of_seconds_is_spent(tmp_path: Path) -> None:
    record, _ = train_command(2, tmp_path, "--seconds", "0.5")
    assert record["status"] == "ok"
    assert record["epochs"][-1]["seconds"] >= 0.5
