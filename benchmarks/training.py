"""Accuracy against epochs, seconds and MACs on rotated digits: ``python -m benchmarks train``.

The test images are looked at once, after training, with the weights of the epoch that the validation images chose.
"""

import argparse
import dataclasses
import hashlib
import json
import math
import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch._dynamo  # the first optimiser imports it: a second for the process server, instead of one for every run
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from tqdm import tqdm

from benchmarks.cases import Case, InvalidCase, check_value
from benchmarks.datasets import SPLIT_SIZES, Dataset, Split, rotated_digits
from benchmarks.isolation import Outcome, run_isolated
from benchmarks.measure.clock import Clock, synchronised_clock
from benchmarks.measure.environment import moment, provenance
from benchmarks.measure.flops import count_macs
from benchmarks.records import FAILURES, SCHEMA, Record, RecordStore
from benchmarks.sweep import Interrupted, outstanding
from benchmarks.workloads import network

# Bump when a run means another training than before (schedule, network, data): ids change with it.
RUN_VERSION = 1
DATASETS = ("rotated-digits",)
VARIANTS = ("plain", "full", "separable")
# Chosen on the validation images from {1e-3, 3e-3, 1e-2, 3e-2}, for plain also 1e-1: mean best accuracy of seeds 100
# and 101 (no seeds of a study) after the quick profile's epochs, |H| = 4, in that order: plain 69, 79, 87.4, 87.6,
# 83 %; full 95, 96, 91, 36 %; separable 92, 92, 62, 26 %.
LEARNING_RATES = {"plain": 3e-2, "full": 3e-3, "separable": 3e-3}
# The part of a run in which the learning rate rises.
WARM_UP = 0.25
# Backward computes two gradients, of the input and of the weights, each as many MACs as the forward pass. (An upper
# bound, by one forward of the first layer, whose input needs none.)
PASSES_PER_STEP = 3
EVALUATION_BATCH = 256
# The fields of a run that has not come that far.
NOTHING_MEASURED: dict[str, Any] = {
    "parameters": None,
    "macs_per_image": None,
    "data": None,
    "epochs": [],
    "best_epoch": None,
    "test_accuracy": None,
}

Report = Callable[[dict[str, Any]], None]


class Diverged(RuntimeError):  # noqa: N818
    """The train loss is not a finite number any more."""


@dataclass(frozen=True)
class TrainingRun:
    """One network trained once.

    Args:
        dataset: "rotated-digits".
        variant: "plain", "full" or "separable".
        group: the subgroup H; "trivial" for plain, and for nothing else.
        resolution: |H|, the number of group elements; 1 for plain.
        channels: C, of the paper's network with widths (C, C, 2C).
        kernel_size, image_size: pixels.
        batch_size: images in a step; what is left at the end of an epoch is dropped.
        epochs: passes over the train images.
        learning_rate: the highest of Adam's schedule, ``learning_rate_factor``.
        weight_decay: of Adam, added to the gradients.
        seed: of initialisation, order and dropout. The data has a seed of its own.
        device: where it runs.
        threads: of torch's intra-op pool. One is as fast as two for networks this small, and its seconds are steadier.

    Raises:
        InvalidCase: for a value that is not allowed.
    """

    dataset: str = "rotated-digits"
    variant: str = "separable"
    group: str = "SO2"
    resolution: int = 8
    channels: int = 8
    kernel_size: int = 5
    image_size: int = 16
    batch_size: int = 64
    epochs: int = 10
    learning_rate: float = 3e-3
    weight_decay: float = 1e-4
    seed: int = 0
    device: str = "cpu"
    threads: int = 1

    def __post_init__(self) -> None:
        if self.dataset not in DATASETS:
            raise InvalidCase(f"unknown dataset {self.dataset!r}; allowed: {', '.join(DATASETS)}")
        if self.variant not in VARIANTS:
            raise InvalidCase(f"unknown variant {self.variant!r}; allowed: {', '.join(VARIANTS)}")
        self.case()  # checks what a run shares with a case
        check_value("epochs", self.epochs)
        if not 2 <= self.batch_size <= SPLIT_SIZES[0]:
            raise InvalidCase(f"batch_size {self.batch_size} is not allowed; allowed: 2 to {SPLIT_SIZES[0]}")
        if not 0 < self.learning_rate < math.inf:
            raise InvalidCase(f"learning_rate {self.learning_rate} is not allowed; allowed: positive numbers")
        if not 0 <= self.weight_decay < math.inf:
            raise InvalidCase(f"weight_decay {self.weight_decay} is not allowed; allowed: 0 or more")
        if self.seed < 0:
            raise InvalidCase(f"seed {self.seed} is not allowed; allowed: 0 or more")

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits that depend on every field and on ``RUN_VERSION``, on any machine the same."""
        canonical = json.dumps({"run_version": RUN_VERSION, **self.fields()}, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    @property
    def label(self) -> str:
        """A short name for people."""
        group = "" if self.variant == "plain" else f" {self.group}({self.resolution})"
        return f"{self.variant}{group} seed {self.seed}"

    def fields(self) -> dict[str, str | int | float]:
        """The fields as they are stored in a record."""
        return dataclasses.asdict(self)

    def case(self) -> Case:
        """The case that measures the cost of one step of this run."""
        shared = ("variant", "group", "resolution", "channels", "batch_size", "image_size", "kernel_size")
        axes: dict[str, Any] = {axis: getattr(self, axis) for axis in shared}
        return Case(layer="resnet", direction="forward_backward", device=self.device, threads=self.threads, **axes)


@dataclass(frozen=True)
class Study:
    """What a profile trains: the plain network and every variant at every resolution, each with every seed."""

    resolutions: tuple[int, ...]
    seeds: int
    epochs: int


PROFILES = {
    "quick": Study(resolutions=(2, 4, 8), seeds=3, epochs=10),
    "standard": Study(resolutions=(1, 4, 8, 16), seeds=5, epochs=30),
}


def profile_runs(
    profile: str,
    *,
    variants: Sequence[str] | None = None,
    resolutions: Sequence[int] | None = None,
    seeds: int | None = None,
    learning_rate: float | None = None,
    **values: Any,
) -> list[TrainingRun]:
    """The runs of a profile, each once; all networks with one seed come before the next seed.

    Args:
        profile: a key of ``PROFILES``.
        variants, resolutions: instead of the profile's own.
        seeds: how many, from 0.
        learning_rate: instead of the one chosen for each variant.
        values: other fields of ``TrainingRun``; None leaves the profile's.

    Raises:
        InvalidCase: for an unknown profile or a value that is not allowed.
    """
    if profile not in PROFILES:
        raise InvalidCase(f"unknown profile {profile!r}; allowed: {', '.join(PROFILES)}")
    study = PROFILES[profile]
    seeds = study.seeds if seeds is None else seeds
    check_value("seeds", seeds)
    fields: dict[str, Any] = {"epochs": study.epochs}
    fields |= {name: value for name, value in values.items() if value is not None}
    runs = []
    for seed in range(seeds):
        for resolution in study.resolutions if resolutions is None else resolutions:
            check_value("resolution", resolution)
            for variant in VARIANTS if variants is None else variants:
                plain = variant == "plain"
                runs.append(
                    TrainingRun(
                        variant=variant,
                        group="trivial" if plain else "SO2",
                        resolution=1 if plain else resolution,
                        learning_rate=LEARNING_RATES.get(variant, 1e-3) if learning_rate is None else learning_rate,
                        seed=seed,
                        **fields,
                    )
                )
    return list(dict.fromkeys(runs))


def train(
    run: TrainingRun,
    report: Report = lambda fields: None,
    *,
    data: Dataset | None = None,
    clock: Clock | None = None,
) -> dict[str, Any]:
    """Train in this process; it sets the global seeds and the number of threads.

    Args:
        run: what to train.
        report: called after every epoch with what is known of the result by then.
        data: instead of the run's dataset.
        clock: in seconds, instead of one that waits for the device.

    Returns:
        The measured part of the record: ``parameters``, ``macs_per_image``, ``data``, ``epochs``, ``best_epoch`` and
        ``test_accuracy``. Seconds and MACs of an epoch are those of all training steps up to its end; evaluation is not
        in them. Accuracies are fractions.

    Raises:
        Diverged: when the train loss is nan or infinite.
    """
    torch.set_num_threads(run.threads)
    torch.backends.cudnn.deterministic = True
    seed_everything(run.seed)
    data = rotated_digits(run.image_size) if data is None else data
    clock = synchronised_clock(run.device) if clock is None else clock
    model = network(run.case()).to(run.device)
    train_set, validation, test = (_to_device(part, run.device) for part in (data.train, data.validation, data.test))

    counted = count_macs(model, train_set.images[:1])  # one image, so that the convolution is that of one image
    steps = len(train_set) // run.batch_size
    macs_per_epoch = PASSES_PER_STEP * steps * (counted["kernel_generation"] + run.batch_size * counted["convolution"])
    optimiser = torch.optim.Adam(model.parameters(), lr=run.learning_rate, weight_decay=run.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: learning_rate_factor((step + 0.5) / (run.epochs * steps))
    )

    result: dict[str, Any] = {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "macs_per_image": {
            "kernel_generation_per_step": counted["kernel_generation"],
            "convolution": counted["convolution"],
        },
        "data": data.description(),
        "epochs": [],
        "best_epoch": None,
        "test_accuracy": None,
    }
    best_accuracy, best_weights = -1.0, model.state_dict()
    seconds = 0.0
    for epoch in range(1, run.epochs + 1):
        start = clock()
        loss = _train_epoch(model, train_set, run.batch_size, optimiser, schedule)
        seconds += clock() - start
        if not math.isfinite(loss):
            raise Diverged(f"the train loss is {loss} in epoch {epoch}")
        accuracy = evaluate(model, validation)
        if accuracy > best_accuracy:  # ties go to the earlier epoch
            best_accuracy, result["best_epoch"] = accuracy, epoch
            best_weights = {name: value.clone() for name, value in model.state_dict().items()}
        result["epochs"].append(
            {
                "epoch": epoch,
                "seconds": seconds,
                "macs": epoch * macs_per_epoch,
                "train_loss": loss,
                "validation_accuracy": accuracy,
            }
        )
        report(result)
    model.load_state_dict(best_weights)
    result["test_accuracy"] = evaluate(model, test)
    return result


def learning_rate_factor(progress: float) -> float:
    """The learning rate as a fraction of the highest: a linear rise during ``WARM_UP``, then half a cosine down to 0.

    Args:
        progress: how much of the run is done, from 0 to 1.
    """
    if progress < WARM_UP:
        return progress / WARM_UP
    return (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP))) / 2


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the global state is what is meant
    torch.manual_seed(seed)


def _to_device(split: Split, device: str) -> Split:
    return dataclasses.replace(split, images=split.images.to(device), labels=split.labels.to(device))


def _train_epoch(
    model: nn.Module,
    split: Split,
    batch_size: int,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
) -> float:
    """One pass over the images in a random order; returns the mean loss of its steps."""
    model.train()
    steps = len(split) // batch_size
    total = torch.zeros((), device=split.images.device)  # summed there: reading it would wait for the device
    order = torch.randperm(len(split))[: steps * batch_size]
    for batch in order.to(split.images.device).split(batch_size):
        optimiser.zero_grad(set_to_none=True)
        loss = cross_entropy(model(split.images[batch]), split.labels[batch])
        loss.backward()
        optimiser.step()
        schedule.step()
        total += loss.detach()
    return total.item() / steps


@torch.no_grad()
def evaluate(model: nn.Module, split: Split) -> float:
    """The fraction of the images that the model, in eval, classifies correctly."""
    model.eval()
    batches: Sequence[Tensor] = split.images.split(EVALUATION_BATCH)
    predictions = torch.cat([model(batch).argmax(dim=1) for batch in batches])
    return (predictions == split.labels).sum().item() / len(split)


def study(
    runs: Sequence[TrainingRun],
    store: RecordStore,
    *,
    timeout: float = 3600.0,
    retry_failed: bool = False,
) -> tuple[int, int]:
    """Train the runs that the store lacks, each in a process of its own; every one becomes a record.

    Returns:
        How many were trained, and how many of these failed.

    Raises:
        InvalidCase: when a run needs a device or more cores than there are.
        OSError: when the results cannot be written, or somebody else is measuring.
        Interrupted: on Ctrl-C; the run in progress is stored as such, with the epochs it had, and trained again next
            time.
    """
    trained = failed = 0
    with (
        outstanding(runs, store, retry_failed=retry_failed) as missing,
        tqdm(total=sum(run.epochs for run in missing), unit="epoch", desc="train", dynamic_ncols=True) as progress,
    ):
        for run in missing:
            progress.set_postfix_str(run.label)
            record = _record(run, timeout, progress)
            store.append(record)
            if record["status"] == "interrupted":
                left = len(missing) - trained
                raise Interrupted(f"{trained} new runs kept, {left} left; the same command goes on from here")
            trained += 1
            failed += record["status"] in FAILURES
            if record["status"] in FAILURES:
                progress.write(f"{run.label}: {record['status']}: {record['message']}")
    return trained, failed


def _record(run: TrainingRun, timeout: float, progress: "tqdm[Any]") -> Record:
    before = moment()
    latest: dict[str, Any] = {}

    def report(fields: dict[str, Any]) -> None:
        latest.update(fields)
        progress.update()

    begun = progress.n
    try:
        outcome = run_isolated(train, run, device=run.device, preload=__name__, timeout=timeout, report=report)
    except KeyboardInterrupt:
        outcome = Outcome("interrupted", f"interrupted after {len(latest.get('epochs', []))} epochs", {})
    else:
        progress.update(run.epochs - (progress.n - begun))  # a run that failed has no epochs left
    return {
        "schema": SCHEMA,
        "kind": "training",
        "id": run.id,
        "run": run.fields(),
        "status": outcome.status,
        "message": outcome.message,
        **NOTHING_MEASURED,
        **latest,
        **outcome.fields,
        "provenance": provenance(device=run.device, threads=run.threads, before=before),
    }


def accuracy_table(runs: Sequence[TrainingRun], records: Sequence[Record]) -> str:
    """Test accuracy of every network: mean and sample standard deviation over its seeds, as lines of text."""
    accuracies: dict[tuple[str, int], list[float]] = {}
    results = {record["id"]: record for record in records if record["status"] == "ok"}
    for run in runs:
        values = accuracies.setdefault((run.variant, run.resolution), [])
        if run.id in results:
            values.append(100 * results[run.id]["test_accuracy"])
    lines = [f"{'variant':<12}{'|H|':>4}  {'test accuracy, %':<18}n"]
    for (variant, resolution), values in accuracies.items():
        mean = f"{statistics.mean(values):5.1f}" if values else "    –"
        spread = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
        lines.append(f"{variant:<12}{resolution:>4}  {mean + spread:<18}{len(values)}")
    return "\n".join(lines)


EPILOG = """\
examples:
  python -m benchmarks train --profile quick             three seeds, a few minutes on two cores
  python -m benchmarks train --variant separable --resolution 8 --seeds 5 --epochs 30

A command that is run again trains only what is missing in the results directory.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``python -m benchmarks train``."""
    parser.description = "Train the plain, full and separable networks on rotated digits and record their accuracy."
    parser.epilog = EPILOG
    quick, standard = PROFILES["quick"], PROFILES["standard"]
    parser.add_argument(
        "--profile",
        default="quick",
        metavar="NAME",
        help=f"quick: {quick.seeds} seeds, {quick.epochs} epochs, minutes; "
        f"standard: {standard.seeds} seeds, {standard.epochs} epochs, hours (default: quick)",
    )
    fields = parser.add_argument_group("runs", "values to use instead of the profile's own")
    fields.add_argument("--variant", nargs="+", metavar="NAME", help=", ".join(VARIANTS))
    fields.add_argument("--resolution", nargs="+", type=int, metavar="N", help="|H|, number of group elements")
    fields.add_argument("--seeds", type=int, metavar="N", help="how many, from 0")
    fields.add_argument("--epochs", type=int, metavar="N", help="passes over the train images")
    fields.add_argument("--channels", type=int, metavar="N", help="C, of widths (C, C, 2C)")
    fields.add_argument("--kernel-size", type=int, metavar="N", help="odd, pixels")
    fields.add_argument("--image-size", type=int, metavar="N", help="pixels")
    fields.add_argument("--batch-size", type=int, metavar="N", help="images in a step")
    fields.add_argument(
        "--learning-rate", type=float, metavar="X", help="the highest of the schedule (default: one for each variant)"
    )
    fields.add_argument("--weight-decay", type=float, metavar="X", help="of Adam")
    fields.add_argument("--device", metavar="NAME", help="cpu, cuda (default: cpu)")
    fields.add_argument("--threads", type=int, metavar="N", help="of torch (default: 1)")
    parser.add_argument(
        "--results", type=Path, default=Path("results"), metavar="DIR", help="where records go (default: results)"
    )
    parser.add_argument(
        "--timeout", type=float, default=3600.0, metavar="SECONDS", help="give a run up after (default: 3600)"
    )
    parser.add_argument("--retry-failed", action="store_true", help="train again what failed before")


def main(args: argparse.Namespace) -> int:
    """Train what ``args`` ask for and print the accuracies; returns the exit status.

    Raises:
        ValueError, OSError: for a wrong request, in one line.
        Interrupted: on Ctrl-C.
    """
    if not args.timeout > 0:
        raise ValueError(f"timeout {args.timeout} is not allowed; allowed: positive numbers of seconds")
    runs = profile_runs(
        args.profile,
        variants=args.variant,
        resolutions=args.resolution,
        seeds=args.seeds,
        learning_rate=args.learning_rate,
        weight_decay=args.weight_decay,
        epochs=args.epochs,
        channels=args.channels,
        kernel_size=args.kernel_size,
        image_size=args.image_size,
        batch_size=args.batch_size,
        device=args.device,
        threads=args.threads,
    )
    store = RecordStore(args.results)
    trained, failed = study(runs, store, timeout=args.timeout, retry_failed=args.retry_failed)
    print(accuracy_table(runs, store.load()))
    print(f"trained {trained}, skipped {len(runs) - trained} already there, failed {failed}; see {store.path}")
    return 1 if failed == len(runs) else 0
