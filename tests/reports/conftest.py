"""Made-up records in the schema of `benchmarks.records.store`, whose answers are known because we chose them."""

import copy
import inspect
import os
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib.pyplot as plt
import pytest
from filelock import FileLock
from markupsafe import Markup

from reports.figures import sections
from reports.figures.draw import Figure
from reports.page.page import render

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
    "implementation": "gcnn_impl",
    "variant": "separable",
    "group": "SO2",
    "resolution": 8,
    "scales": 1,
    "channels": 16,
    "batch_size": 16,
    "image_size": 28,
    "kernel_size": 5,
    "direction": "forward",
    "kernels": "",
    "execution": "eager",
    "device": "cpu",
    "dtype": "float32",
    "threads": 1,
}
DIRECTIONS = ("forward", "forward_backward")
# Milliseconds at |H| = 1 and batch 16, and the power of |H| with which they grow; they are linear in the batch.
TIMES = {"plain": (1.0, 0), "lifting": (1.0, 1), "full": (1.0, 2), "separable": (1.0, 1)}
NEW_AXES = ("implementation", "scales", "kernels", "execution")
MIB = 2**20
GPU = "Made-up GPU"
# How many times as fast the GPU is: another factor for each variant, so that ratios of one device's times are never
# those of the other's.
GPU_SPEED = {"plain": 50.0, "lifting": 30.0, "full": 40.0, "separable": 10.0}
# The time of a pass in other number formats and executions, as a multiple of its time in float32 and eager.
OTHER_SETTINGS = {
    ("tf32", "eager"): 0.6,
    ("bfloat16", "eager"): 0.5,
    ("float32", "compiled"): 0.7,
    ("float32", "graphed"): 0.3,
}
EXPONENTS_OF_MACS = {"plain": 0, "lifting": 1, "full": 2, "separable": 1}


def identity(case: dict[str, Any]) -> str:
    """Return the id of a case."""
    return "-".join(str(value) for value in case.values())


def cost_record(**changes: Any) -> Record:
    """Return an ok cost record of the time that `TIMES` gives, three times as long with backward; interval ± 10 %.

    The medians of the record's three rounds are 99, 100 and 101 % of this time.
    """
    case = {**BASE, **changes}
    case["kernels"] = case["kernels"] or ("cached" if case["direction"] == "forward" else "generated")
    if case["variant"] == "plain":
        case |= {"group": "trivial", "resolution": 1}
    size, power = TIMES.get(case["variant"], (1.0, 1))
    seconds = 1e-3 * size * case["resolution"] ** power * case["batch_size"] / 16
    seconds *= 3 if case["direction"] == "forward_backward" else 1
    macs = 1000 * case["batch_size"] * case["channels"] ** 2
    macs *= case["resolution"] ** EXPONENTS_OF_MACS.get(case["variant"], 1)
    generation = 0 if case["variant"] == "plain" else 4000 * case["resolution"]
    peak = MIB * case["resolution"] * case["batch_size"]
    backward = case["direction"] != "forward"
    generated = 0.1 if generation else None
    shape = ("layer", "channels", "batch_size", "image_size", "kernel_size", "direction", "dtype", "threads")
    return {
        "schema": 2,
        "kind": "cost",
        "id": identity(case),
        "case": case,
        "status": "ok",
        "message": "",
        "seconds": {
            "rounds": [[seconds * (0.9 + 0.01 * i) for i in range(first, 21, 3)] for first in range(3)],
            "n": 21,
            "median": seconds,
            "q1": seconds * 0.95,
            "q3": seconds * 1.05,
            "ci_low": seconds * 0.9,
            "ci_high": seconds * 1.1,
            "outliers": {"mild": 2, "far": 1},
            "stopped": "budget",
        },
        "noise": {"verdict": "quiet", "findings": []},
        "block": "-".join(str(case[axis]) for axis in shape),
        "memory": {
            "peak_bytes": peak,
            "parameters_bytes": 0,
            "kernels_bytes": peak // 4,
            "activations_bytes": peak // 2 if backward else 0,
            "workspace_bytes": peak // 4 if backward else 3 * peak // 4,
            "predicted_bytes": 1.25 * peak if case["variant"] == "full" else peak,
            "method": "made up",
        },
        "parameters": 1234,
        "macs": {
            "kernel_generation": generation,
            "convolution": macs,
            "backward": 2 * macs,
            "unsupported": {"aten::sin": 3},
            "zero_counted_time_share": 0.25,
        },
        "stages": {
            "kernel_generation": generated and seconds * 0.1,
            "group_mixing": seconds * 0.2 if case["variant"] == "separable" else None,
            "spatial_convolution": seconds * 0.2,
            "other": seconds * 0.05,
            "forward": seconds * 0.5,
            "backward": seconds * 0.5 if backward else None,
            "optimiser": None,
            "kernel_generation_share": generated,
        },
        "roofline": {
            "arithmetic_intensity": 40.0,
            "macs_per_second": macs / seconds,
            "matrix_ceiling": 1e11,
            "memory_ceiling": 1e10,
            "fraction": 0.6,
        },
        "energy": {"joules_per_sample": 0.002},
        "construction_seconds": 0.01 * case["resolution"],
        "first_call_seconds": 2 * seconds,
        "operators": profile_of_pass(seconds, backward=backward),
        "compile_seconds": None,
        "missing": {},
        "equivariance_error": None if case["variant"] == "plain" else 1e-7 * case["resolution"],
        "provenance": copy.deepcopy(PROVENANCE),
    }


def profile_of_pass(seconds: float, *, backward: bool) -> dict[str, Any]:
    """Return the operators of a pass that takes 1.25 times as long with the profiler: convolutions have 60 % of it."""
    shares = [("aten::convolution", "forward", 0.3 if backward else 0.6, 2)]
    shares += [("gcnn_impl::mix", "backward", 0.3, 1)] * backward
    shares += [("other operators", "forward", 0.2, 30), ("between operators: Python and dispatch", "forward", 0.2, 0)]
    rows = [
        {
            "operator": operator,
            "phase": phase,
            "seconds": 1.25 * seconds * share,
            "calls": calls,
            "macs": None,
            "bytes": 8,
        }
        for operator, phase, share, calls in shares
    ]
    rows[0]["macs"] = 1000
    return {"seconds": 1.25 * seconds, "plain_seconds": seconds, "passes": 4, "rows": rows}


def old(record: Record) -> Record:
    """Return the record in schema 1: one process, fewer axes, and only the peak of the memory."""
    case = {name: value for name, value in record["case"].items() if name not in NEW_AXES}
    seconds = {name: record["seconds"][name] for name in ("n", "median", "q1", "q3", "ci_low", "ci_high")}
    seconds["samples"] = [sample for samples in record["seconds"]["rounds"] for sample in samples]
    memory = {name: record["memory"][name] for name in ("peak_bytes", "method")}
    macs = {name: record["macs"][name] for name in ("kernel_generation", "convolution", "unsupported")}
    kept = ("kind", "status", "message", "parameters", "equivariance_error", "provenance")
    parts = {"case": case, "seconds": seconds, "memory": memory, "macs": macs}
    return {"schema": 1, "id": f"old-{record['id']}", **{name: record[name] for name in kept}, **parts}


def twin_record(first: Record, *factors: float) -> Record:
    """Return a second measurement of a case: the first one, with the times of each round multiplied by a factor."""
    rounds = [
        [factor * x for x in samples] for factor, samples in zip(factors, first["seconds"]["rounds"], strict=True)
    ]
    shared = {name: first[name] for name in ("schema", "block", "status", "message", "provenance")}
    median = statistics.median(sample for samples in rounds for sample in samples)
    seconds = {**first["seconds"], "rounds": rounds, "median": median}
    return {**shared, "kind": "twin", "id": f"twin-{first['id']}", "case_id": first["id"], "seconds": seconds}


def on_gpu(record: Record, gpu: str = GPU) -> Record:
    """Return the cost or training record of the same work on a GPU of the machine, faster by `GPU_SPEED`."""
    moved = copy.deepcopy(record)
    part = moved["run" if record["kind"] == "training" else "case"]
    part["device"] = "cuda"
    moved["provenance"] |= {"gpu": gpu, "device_name": gpu}
    speed = GPU_SPEED.get(part["variant"], 20.0)
    if record["kind"] == "training":
        for epoch in moved["epochs"]:
            epoch["seconds"] /= speed
        return moved | {"id": f"{record['id']}-cuda", "test_accuracy": record["test_accuracy"] + 0.005}
    moved |= {"id": identity(part), "block": f"{record['block']}-cuda"}
    if record["status"] == "ok":
        timed(moved, 1 / speed)
        moved["memory"] |= {"method": "torch.cuda allocator", "reserved_bytes": 2 * moved["memory"]["peak_bytes"]}
        times = ("median", "q1", "q3", "ci_low", "ci_high", "n")
        moved["device_seconds"] = {name: moved["seconds"][name] for name in times}
        moved["roofline"] |= {"matrix_ceiling": 5e13, "memory_ceiling": 3e12}
    return moved


def timed(record: Record, factor: float) -> None:
    """Multiply all times of a cost record by a factor."""
    seconds = record["seconds"]
    for name in ("median", "q1", "q3", "ci_low", "ci_high"):
        seconds[name] *= factor
    seconds["rounds"] = [[x * factor for x in samples] for samples in seconds["rounds"]]
    record["roofline"]["macs_per_second"] /= factor


def in_setting(dtype: str, execution: str, **changes: Any) -> Record:
    """Return a cost record in a number format and an execution, which change its time by a factor."""
    record = cost_record(dtype=dtype, execution=execution, **changes)
    timed(record, OTHER_SETTINGS[dtype, execution])
    return record


def gpu_records(gpu: str = GPU) -> list[Record]:
    """Return what was measured on a GPU: every work of `every_record`, other formats and executions, and a failure."""
    made = every_record()
    twins = [on_gpu(cost_record(variant=variant), gpu) for variant in ("full", "lifting")]
    others = [
        in_setting(*setting, variant=v, direction=d, implementation=i)
        for setting in OTHER_SETTINGS
        for v, d, i in (
            *((v, d, "gcnn_impl") for v in TIMES for d in DIRECTIONS),
            *((v, "forward", "torch") for v in ("full", "separable")),
        )
    ]
    others.append(failed_record("CUDA out of memory", status="out_of_memory", batch_size=1024))
    found = [on_gpu(record, gpu) for record in [*made, *others] if record["kind"] != "twin"]
    return [*found, *(twin_record(first, 1.004, 1.0, 0.996) for first in twins)]


def both_devices() -> list[Record]:
    """Return what a machine with a GPU measures: the work of `every_record` on the processor and on the GPU."""
    return [*every_record(), *gpu_records()]


def noisy(record: Record) -> Record:
    """Return the record as a noisy one, with a finding."""
    finding = {"kind": "drift", "detail": "it <drifts>", "remedy": "warm up longer"}
    return {**record, "noise": {"verdict": "noisy", "findings": [finding]}}


def failed_record(message: str, status: str = "failed", **changes: Any) -> Record:
    record = cost_record(**changes)
    kept = ("schema", "kind", "id", "case", "block", "provenance")
    return {**dict.fromkeys(record), **{name: record[name] for name in kept}, "status": status, "message": message}


def training_record(variant: str, resolution: int, seed: int, accuracy: float, epochs: int = 4) -> Record:
    """Return a run that improves linearly to `accuracy`; each epoch takes |H| seconds, and the last one is the best."""
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
        "equivariance_error_by_layer": map_errors(run),
        "test_by_angle": [
            {"angle": angle, "accuracy": accuracy * (1 - fall * lost), "equivariance_error": fall}
            for angle, fall in ((0.0, 0.0), (45.0, 1.0), (90.0, 0.5))
            for lost in [0.6 if variant == "plain" else 0.1 / resolution]
        ],
        "provenance": copy.deepcopy(PROVENANCE),
    }


def map_errors(run: dict[str, Any]) -> dict[str, float] | None:
    """Return the error of each map; only |H| = 8 has rotations that interpolate pixels."""
    errors = {"first": 0.01, "second": 0.05, "last": 0.07}
    return {name: error * (1 + run["seed"] / 10) for name, error in errors.items()} if run["resolution"] == 8 else None


@pytest.fixture
def records() -> list[Record]:
    return every_record()


def once(name: str, make: Callable[[], str], places: pytest.TempPathFactory) -> str:
    """Return a text that the first of the tests' processes makes; the others wait for its file."""
    parallel = "PYTEST_XDIST_WORKER" in os.environ  # then the folder above is that of all processes
    file = (places.getbasetemp().parent if parallel else places.getbasetemp()) / name
    with FileLock(f"{file}.lock"):
        if not file.exists():
            file.write_text(make(), encoding="utf-8", newline="")
    return file.read_bytes().decode()


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the page of all made-up records."""
    return once("page.html", lambda: render(every_record()), tmp_path_factory)


@pytest.fixture(scope="session")
def page_of_both(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the page of made-up records of a processor and of a GPU."""
    return once("page_of_both.html", lambda: render(both_devices()), tmp_path_factory)


@contextmanager
def undrawn_panels(*, plotted: bool = False) -> Iterator[None]:
    """Leave the panels of figures empty: the figures keep their takeaways, captions and data, at a third of the time.

    With `plotted`, lines and points are put on the axes, for tests in which this may fail.
    """

    def close(figure: Any, *_: Any) -> Markup:
        plt.close(figure)
        return Markup("")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reports.figures.draw.inline", close)
        if not plotted:
            patch.setattr("seaborn.lineplot", lambda *_, **__: None)
            patch.setattr("seaborn.scatterplot", lambda *_, ax, **__: ax.scatter([], []))
            patch.setattr("reports.figures.draw.place", lambda *_: None)
            patch.setattr("reports.figures.draw.frame", lambda _: {})
        yield


@contextmanager
def empty_figures(*, but: str = "") -> Iterator[None]:
    """Make figures without panels and data, for tests of the other parts: figures take most of the time.

    The figures of the function `but` are drawn.
    """
    functions = {name: value for name, value in vars(sections).items() if inspect.isfunction(value)}
    with pytest.MonkeyPatch.context() as patch:
        for name in functions.keys() - {"sections", but}:
            patch.setattr(sections, name, lambda *arguments: Figure(arguments[-1], "A figure", "It is empty."))
        yield


@pytest.fixture
def no_figures() -> Iterator[None]:
    """Make no figures in this test; see `empty_figures`."""
    with empty_figures():
        yield


def every_record() -> list[Record]:
    """Return a sweep around a base point, two twins, torch's layers, the networks of three seeds, and two failures."""
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
    made += [cost_record(variant=v, implementation="torch") for v in ("full", "separable")]
    made[0] = noisy(made[0])
    for variant in ("full", "lifting"):
        made.append(twin_record(cost_record(variant=variant), 1.01, 1.0, 0.99))
    made.append(failed_record("<script>alert(1)</script> & more", channels=64))
    made.append(failed_record("no answer within 60 s", status="timeout", channels=128))
    for seed in range(3):
        made.append(training_record("plain", 1, seed, 0.80 + 0.01 * seed))
        for resolution in (2, 4, 8):
            made.append(training_record("full", resolution, seed, 0.90 + 0.005 * resolution + 0.01 * seed))
            made.append(training_record("separable", resolution, seed, 0.887 + 0.005 * resolution + 0.01 * seed))
    return list({record["id"]: record for record in made}.values())
