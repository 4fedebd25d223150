"""Tests of the whole runs of ``compare``: the planted slowdowns, and the table."""

import subprocess
import sys

import pytest
import torch
from torch import Tensor, nn

from benchmarks.answers.differences import ComparedCase, Differences
from benchmarks.evidence.planted_slowdown import prolong, repeat_batch
from benchmarks.evidence.whole_runs import PLANTED, Run, four_cases, planted_place, table
from benchmarks.statistics.comparison import Comparison
from benchmarks.statistics.verdicts import FINE, REGRESSED


def layer_class() -> tuple[type[nn.Module], list[int]]:
    """Return a new class of layers, and the list of the batch sizes that its layers were called with."""
    calls: list[int] = []

    class Doubling(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            calls.append(len(x))
            return 2 * x

    return Doubling, calls


def test_a_part_of_the_batch_is_computed_twice() -> None:
    layer, calls = layer_class()
    repeat_batch(layer, 0.30)
    assert torch.equal(layer()(torch.ones(10, 2)), 2 * torch.ones(10, 2))
    assert calls == [3, 10]


def test_a_prolonged_layer_gives_the_same_output_from_one_pass() -> None:
    layer, calls = layer_class()
    prolong(layer, 0.05)
    assert torch.equal(layer()(torch.ones(3)), 2 * torch.ones(3))
    assert calls == [3]


@pytest.mark.parametrize("kind", PLANTED)
def test_the_place_has_the_slowdown_in_the_separable_layer_alone(kind: str) -> None:
    program = (
        "from gcnn_impl import GroupConv2d, SeparableGroupConv2d as S, __file__ as path\n"
        "print(path, hasattr(S.forward, '__wrapped__'), hasattr(GroupConv2d.forward, '__wrapped__'))"
    )
    with planted_place(PLANTED[kind]) as place:
        done = subprocess.run([sys.executable, "-c", program], cwd=place, capture_output=True, text=True, check=True)
        path, separable, full = done.stdout.split()
        assert path == str(place / "gcnn_impl" / "__init__.py")
    assert (separable, full) == (str(kind != "same"), "False")


def run(planted: str, verdict: str, ratio: float, others: str = FINE) -> Run:
    labels = [case.label for case in four_cases(threads=1)]
    verdicts = [verdict if " separable " in label else others for label in labels]
    rows = [
        ComparedCase(label, 1.0, ratio, Comparison("slower", ratio, 0.9 * ratio, 1.1 * ratio), word)
        for label, word in zip(labels, verdicts, strict=True)
    ]
    return Run(planted, Differences(rows, 0.05, []), minutes=1.5)


def test_the_table_counts_verdicts_and_what_was_wrongly_called_regressed() -> None:
    runs = [run("same", FINE, 1.0), run("same", REGRESSED, 1.2), run("5 %", REGRESSED, 1.05, others=REGRESSED)]
    _, same, slower = (line.split() for line in table(runs))
    assert same[:8] == ["same", "5%", "2", "1", "1", "0", "0", "1"]
    assert slower[:9] == ["5", "%", "5%", "1", "1", "0", "0", "0", "3"]
    assert slower[9] == "1.050"
