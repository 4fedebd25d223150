"""The networks of training runs have the runs' options."""

import dataclasses

import pytest
from torch.nn.modules.dropout import _DropoutNd

from benchmarks.cases.training_run import TrainingRun
from benchmarks.training.networks import build_network


def probabilities(run: TrainingRun) -> list[float]:
    return [each.p for each in build_network(run, 1, 10, "cpu").modules() if isinstance(each, _DropoutNd)]


@pytest.mark.parametrize("network", ["resnet", "allcnnc"])
@pytest.mark.parametrize(
    "values", [{"variant": "plain", "group": "trivial", "resolution": 1}, {"variant": "separable", "resolution": 2}]
)
def test_dropout_is_a_factor_of_the_networks_own(network: str, values: dict[str, object]) -> None:
    run = TrainingRun(network=network, channels=2, **values)  # type: ignore[arg-type]
    own = probabilities(run)
    assert any(own)
    assert probabilities(dataclasses.replace(run, dropout=0.5)) == [p / 2 for p in own]
    assert not any(probabilities(dataclasses.replace(run, dropout=0)))
