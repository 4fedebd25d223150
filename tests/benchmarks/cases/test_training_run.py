"""Training runs: allowed values, errors for other values, and ids. Torch is not needed."""

import dataclasses
import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cases.case import InvalidCase
from benchmarks.cases.training_run import DATASETS, RECIPES, TrainingRun

RUN = TrainingRun()
OTHER_VALUES: dict[str, Any] = {
    "dataset": "digits",
    "network": "allcnnc",
    "variant": "full",
    "group": "O2",
    "resolution": 4,
    "channels": 16,
    "kernel_size": 7,
    "hidden_features": 32,
    "sampled": True,
    "image_size": 20,
    "batch_size": 32,
    "budget_unit": "macs",
    "budget": 10,
    "recipe": "short",
    "learning_rate": 0.1,
    "weight_decay": 0.0,
    "matched": "time",
    "seed": 1,
    "data_seed": 1,
    "limit": 100,
    "device": "cuda",
    "threads": 2,
    "dtype": "bfloat16",
    "compile": True,
    "channels_last": True,
    "processes": 2,
    "augmentation": "rotations",
    "train_limit": 100,
    "epoch_images": 100,
    "test_angles": 4,
    "dropout": 0.5,
}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"dataset": "imagenet"}, f"unknown dataset 'imagenet'; allowed: {', '.join(DATASETS)}"),
        ({"network": "vit"}, "unknown network 'vit'; allowed: resnet, allcnnc, package.module:factory"),
        ({"augmentation": "crops"}, "unknown augmentation 'crops'; allowed: none, rotations, scales, rotations+scales"),
        ({"network": "mine:net"}, "variant 'separable' does not go with network 'mine:net'; allowed: custom"),
        ({"variant": "averaged", "sampled": True}, "sampled does not go with variant 'averaged', whose grid is fixed"),
        (
            {"network": "mine:net", "variant": "custom", "group": "trivial", "resolution": 1, "sampled": True},
            "sampled does not go with variant 'custom', whose grid is fixed",
        ),
        ({"dropout": 1.5}, "dropout 1.5 is not allowed; allowed: numbers from 0 to 1"),
        ({"recipe": "long"}, "unknown recipe 'long'; allowed: paper, short"),
        ({"matched": "width"}, "unknown matched 'width'; allowed: none, parameters, macs, time, memory, maps"),
        ({"dtype": "tf32"}, "unknown dtype 'tf32'; allowed: float32, bfloat16"),
        ({"resolution": 0}, "resolution 0 is not allowed; allowed: integers of at least 1"),
        ({"kernel_size": 4}, "kernel_size 4 is even; allowed: odd integers of at least 1"),
        ({"channels": -8}, "channels -8 is not allowed; allowed: integers of at least 1"),
        ({"hidden_features": 0}, "hidden_features 0 is not allowed; allowed: integers of at least 1"),
        ({"device": "tpu"}, "unknown device 'tpu'; allowed: cpu, cuda"),
        ({"variant": "plain", "resolution": 1}, "group 'SO2' does not go with variant 'plain'; allowed: trivial"),
        ({"variant": "separable2d"}, "group 'SO2' does not go with variant 'separable2d'; allowed: SO2xRPlus"),
        ({"scales": 2}, "scales 2 does not go with group 'SO2'; allowed: 1"),
        ({"dataset": "folder"}, "dataset 'folder' needs an image_size; allowed: integers of at least 1"),
        ({"budget_unit": "days"}, "unknown budget_unit 'days'; allowed: epochs, seconds, macs"),
        ({"budget": 0}, "budget 0 is not allowed; allowed: positive numbers"),
        ({"budget": float("inf")}, "budget inf is not allowed; allowed: positive numbers"),
        ({"budget": 1.5}, "budget 1.5 is not allowed for epochs; allowed: integers of at least 1"),
        ({"batch_size": 1}, "batch_size 1 is not allowed; allowed: 2 or more"),
        ({"batch_size": 3, "processes": 4}, "batch_size 3 is not allowed; allowed: 4 or more"),
        ({"learning_rate": 0.0}, "learning_rate 0.0 is not allowed; allowed: positive numbers"),
        ({"learning_rate": float("nan")}, "learning_rate nan is not allowed; allowed: positive numbers"),
        ({"weight_decay": -1.0}, "weight_decay -1.0 is not allowed; allowed: 0 or more"),
        ({"seed": -1}, "seed -1 is not allowed; allowed: 0 or more"),
        ({"data_seed": -1}, "data_seed -1 is not allowed; allowed: 0 or more"),
        ({"limit": 0}, "limit 0 is not allowed; allowed: integers of at least 1"),
        (
            {"variant": "plain", "group": "trivial", "resolution": 1, "sampled": True},
            "sampled does not go with variant 'plain', which has no group",
        ),
        ({"compile": True, "processes": 2}, "compile does not go with processes 2; allowed: 1"),
    ],
)
def test_a_value_that_is_not_allowed_is_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidCase) as error:
        TrainingRun(**values)
    assert str(error.value) == message


def test_ids_depend_on_every_field_and_on_nothing_else() -> None:
    others = [dataclasses.replace(RUN, **{name: value}) for name, value in OTHER_VALUES.items()]
    scaled = [dataclasses.replace(RUN, group="SO2xRPlus", scales=scales) for scales in (1, 2)]
    assert {*OTHER_VALUES, "scales"} == {field.name for field in dataclasses.fields(TrainingRun)}
    assert len({run.id for run in [RUN, *scaled, *others]}) == 3 + len(others)
    assert dataclasses.replace(RUN).id == RUN.id


def test_the_id_is_the_same_on_every_machine_and_in_every_release() -> None:
    # If this id changes, every stored run is trained again. Change the id only on purpose, by bumping RUN_VERSION.
    assert TrainingRun().id == "cc894788d530"


def test_the_case_of_a_run_is_its_network_for_its_images() -> None:
    case = TrainingRun(dataset="cifar100", network="allcnnc", variant="averaged").case()
    assert (case.layer, case.in_channels, case.num_classes, case.variant) == ("allcnnc", 3, 100, "averaged")
    own = TrainingRun(network="mine:net", variant="custom", group="trivial", resolution=1).case()
    assert (own.layer, own.implementation, own.in_channels, own.num_classes) == ("network", "mine:net", 1, 10)


def test_a_label_names_the_network_and_its_augmentation() -> None:
    own = TrainingRun(network="mine:net", variant="custom", group="trivial", resolution=1, augmentation="scales")
    assert own.label == "rotated-digits mine:net + scales seed 0"
    assert TrainingRun(variant="averaged").label == "rotated-digits averaged SO2(8) C=8 seed 0"


def test_equal_numbers_of_different_types_give_the_same_run() -> None:
    assert TrainingRun(budget=10, learning_rate=1) == TrainingRun(budget=10.0, learning_rate=1.0)
    assert TrainingRun(budget=10, learning_rate=1).id == TrainingRun(budget=10.0, learning_rate=1.0).id
    assert TrainingRun(budget_unit="seconds", budget=0.5).budget == 0.5


def test_a_run_comes_back_from_its_record() -> None:
    run = TrainingRun(dataset="cifar10", budget_unit="macs", budget=1e12, limit=5)
    assert TrainingRun(**json.loads(json.dumps(run.fields()))) == run
    assert run.image_size == 32


def test_every_data_set_can_be_trained_on() -> None:
    for images in DATASETS.values():
        module, _, function = images.loader.partition(":")
        assert callable(getattr(importlib.import_module(f"benchmarks.datasets.{module}"), function))


def test_the_defaults_are_the_papers_recipe() -> None:
    assert (RUN.learning_rate, RUN.weight_decay, RUN.batch_size) == (1e-4, 1e-4, 64)
    assert (RUN.recipe, RUN.budget_unit, RUN.budget) == ("paper", "epochs", 300)
    assert [RUN.learning_rate_at(progress) for progress in (0.0, 0.5, 1.0)] == pytest.approx([1e-4, 5e-5, 0])


def test_the_short_recipe_rises_then_falls_to_zero() -> None:
    factors = [RECIPES["short"].factor(progress) for progress in (0.0, 0.125, 0.25, 0.625, 1.0)]
    assert factors == pytest.approx([0, 0.5, 1, 0.5, 0])


@pytest.mark.parametrize(("unit", "progress"), [("epochs", 0.25), ("seconds", 0.5), ("macs", 1.0)])
def test_progress_is_the_spent_share_of_the_budget(unit: str, progress: float) -> None:
    run = TrainingRun(budget_unit=unit, budget=8)
    assert run.progress({"epoch": 2, "seconds": 4.0, "macs": 9}) == progress


def test_labels_distinguish_groups_and_matches() -> None:
    sim2 = TrainingRun(group="SO2xRPlus", scales=2, matched="time")
    assert sim2.label == "rotated-digits separable SO2xRPlus(4×2) C=8 matched by time seed 0"
    plain = TrainingRun(variant="plain", group="trivial", resolution=1)
    assert plain.label == "rotated-digits plain C=8 seed 0"


def test_runs_need_no_torch() -> None:
    code = "import sys, benchmarks.training.missing, benchmarks.commands.train; sys.exit('torch' in sys.modules)"
    root = Path(__file__).resolve().parents[3]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
