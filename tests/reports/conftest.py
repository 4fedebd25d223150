"""Made-up records in the schema of `benchmarks.records`, whose answers are known because we chose them."""

import copy
from typing import Any

import pytest

from reports.page import render

Record = dict[str, Any]

PROVENANCE = {
    "measured_at": "2030-01-02T03:04:05+00:00",
    "commit": "0123456789abcdef0123456789abcdef01234567",
    "dirty": False,
    "python": "3.11.7",
    "torch": "2.15.0",
    "gcnn_impl": "0.1.0",
    "fvcore": "0.1.5",
    "platform": "Linux",
    "cpu": "Made-up CPU",
    "cores": 2,
    "gpu": None,
    "device_name": "Made-up CPU",
    "threads": 1,
    "load_before": 0.5,
    "load_after": 1.0,
    "omp_wait_policy": "PASSIVE",
}
BASE = {
    "layer": "conv",
    "variant": "separable",
    "group": "SO2",
    "resolution": 8,
    "channels": 16,
    "batch_size": 16,
    "image_size": 28,
    "kernel_size": 5,
    "direction": "forward",
    "device": "cpu",
    "dtype": "float32",
    "threads": 1,
}
DIRECTIONS = ("forward", "forward_backward")
# Milliseconds and MACs at |H| = 1; both grow with a known power of |H|, and linearly with the batch.
TIMES = {"plain": (1.0, 0), "lifting": (1.0, 1), "full": (1.0, 2), "separable": (1.0, 1)}
EXPONENTS_OF_MACS = {"plain": 0, "lifting": 1, "full": 2, "separable": 1}


def cost_record(**changes: Any) -> Record:
    """An ok cost record: 1 ms · |H|^p · batch / 16 (three times that with backward), interval ± 10 %."""
    case = {**BASE, **changes}
    if case["variant"] == "plain":
        case |= {"group": "trivial", "resolution": 1}
    size, power = TIMES.get(case["variant"], (1.0, 1))
    seconds = 1e-3 * size * case["resolution"] ** power * case["batch_size"] / 16
    seconds *= 3 if case["direction"] == "forward_backward" else 1
    macs = 1000 * case["batch_size"] * case["channels"] ** 2
    macs *= case["resolution"] ** EXPONENTS_OF_MACS.get(case["variant"], 1)
    generation = 0 if case["variant"] == "plain" else 4000 * case["resolution"]
    return {
        "schema": 1,
        "kind": "cost",
        "id": "-".join(str(value) for value in case.values()),
        "case": case,
        "status": "ok",
        "message": "",
        "seconds": {
            "samples": [seconds * (0.9 + 0.01 * i) for i in range(21)],
            "n": 21,
            "median": seconds,
            "q1": seconds * 0.95,
            "q3": seconds * 1.05,
            "ci_low": seconds * 0.9,
            "ci_high": seconds * 1.1,
        },
        "memory": {"peak_bytes": 2**20 * case["resolution"] * case["batch_size"], "method": "made up"},
        "parameters": 1234,
        "macs": {"kernel_generation": generation, "convolution": macs, "unsupported": {"aten::sin": 3}},
        "equivariance_error": None if case["variant"] == "plain" else 1e-7 * case["resolution"],
        "provenance": copy.deepcopy(PROVENANCE),
    }


def failed_record(message: str, status: str = "failed", **changes: Any) -> Record:
    empty = {"seconds": None, "memory": None, "macs": None, "parameters": None, "equivariance_error": None}
    return {**cost_record(**changes), **empty, "status": status, "message": message}


def training_record(variant: str, resolution: int, seed: int, accuracy: float, epochs: int = 4) -> Record:
    """A run that climbs linearly to `accuracy`, one second times |H| an epoch; its last epoch is the best."""
    run = {
        "dataset": "rotated-digits",
        "variant": variant,
        "group": "trivial" if variant == "plain" else "SO2",
        "resolution": resolution,
        "channels": 8,
        "kernel_size": 5,
        "image_size": 16,
        "batch_size": 64,
        "epochs": epochs,
        "learning_rate": 0.01,
        "weight_decay": 1e-4,
        "seed": seed,
        "device": "cpu",
        "threads": 1,
    }
    return {
        "schema": 1,
        "kind": "training",
        "id": f"run-{variant}-{resolution}-{seed}",
        "run": run,
        "status": "ok",
        "message": "",
        "parameters": 5678,
        "macs_per_image": {"kernel_generation_per_step": 100, "convolution": 1000},
        "data": {"train": 1000, "validation": 300, "test": 497, "source": "made up", "split_seed": 0},
        "epochs": [
            {
                "epoch": epoch,
                "seconds": float(resolution * epoch),
                "macs": 3000 * epoch,
                "train_loss": 2.0 / epoch,
                "validation_accuracy": accuracy * epoch / epochs,
            }
            for epoch in range(1, epochs + 1)
        ],
        "best_epoch": epochs,
        "test_accuracy": accuracy,
        "provenance": copy.deepcopy(PROVENANCE),
    }


@pytest.fixture
def records() -> list[Record]:
    return every_record()


@pytest.fixture(scope="session")
def page() -> str:
    """The page of all of them."""
    return render(every_record())


def every_record() -> list[Record]:
    """A quick sweep around a base point, the networks, three seeds of each network, and two failures."""
    group = [variant for variant in TIMES if variant != "plain"]
    made = []
    for direction in DIRECTIONS:
        d = {"direction": direction}
        made += [cost_record(variant=v, resolution=r, **d) for v in group for r in (2, 4, 8, 16)]
        made += [cost_record(variant=v, channels=c, **d) for v in TIMES for c in (8, 16, 32)]
        made += [cost_record(variant=v, batch_size=b, **d) for v in TIMES for b in (1, 64)]
        network = {**d, "layer": "resnet", "channels": 8, "image_size": 16, "batch_size": 64}
        made += [cost_record(variant="plain", **network)]
        made += [cost_record(variant=v, resolution=r, **network) for v in ("full", "separable") for r in (2, 4, 8)]
    made.append(failed_record("<script>alert(1)</script> & more", channels=64))
    made.append(failed_record("no answer within 60 s", status="timeout", channels=128))
    for seed in range(3):
        made.append(training_record("plain", 1, seed, 0.80 + 0.01 * seed))
        for resolution in (2, 4, 8):
            made.append(training_record("full", resolution, seed, 0.90 + 0.005 * resolution + 0.01 * seed))
            made.append(training_record("separable", resolution, seed, 0.887 + 0.005 * resolution + 0.01 * seed))
    return list({record["id"]: record for record in made}.values())
