"""One network trained once, in this process.

The test images are looked at once, after training, with the weights of the epoch that the validation images chose.
"""

import contextlib
import dataclasses
import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch._dynamo  # the first optimiser imports it: a second for the process server, instead of one for every run
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benchmarks.cases import InvalidCase
from benchmarks.datasets import Dataset, Split, load
from benchmarks.measure.clock import Clock, synchronised_clock
from benchmarks.measure.flops import count_macs
from benchmarks.measure.memory import peak_memory
from benchmarks.runs import TrainingRun
from benchmarks.training import evaluation
from benchmarks.training.networks import build_network
from benchmarks.training.places import DEFAULT_PLACES, Places
from benchmarks.workloads import configure

# Backward computes two gradients, of the input and of the weights, each as many MACs as the forward pass. (An upper
# bound, by one forward of the first layer, whose input needs none.)
PASSES_PER_STEP = 3
# Steps after which the loss is looked at: to read it is to wait for the device.
STEPS_BETWEEN_CHECKS = 16

Report = Callable[[dict[str, Any]], None]


class Diverged(RuntimeError):  # noqa: N818
    """A loss is not a finite number any more."""


def train(
    run: TrainingRun,
    report: Report = lambda fields: None,
    *,
    data: Dataset | None = None,
    clock: Clock | None = None,
    places: Places = DEFAULT_PLACES,
) -> dict[str, Any]:
    """Train in this process; it sets the global seeds and the number of threads.

    Args:
        run: what to train.
        report: called after every epoch, 0 included, with what is known of the result by then.
        data: instead of the run's dataset.
        clock: in seconds, instead of one that waits for the device.
        places: where the images are.

    Returns:
        The measured part of the record; docs/training.md lists it.

    Raises:
        Diverged: when a loss is nan or infinite.
        InvalidCase: for a batch that is larger than the train images, or a budget smaller than one step.
        DataError: for images that are not there or damaged.
    """
    configure(run.case())
    torch.backends.cudnn.deterministic = True
    seed_everything(run.seed)
    if data is None:
        data = load(
            run.dataset,
            places.data_root,
            image_size=run.image_size,
            download=places.download,
            seed=run.data_seed,
            limit=run.limit,
        )
    clock = synchronised_clock(run.device) if clock is None else clock
    return _Training(run, data, clock, report).result()


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the global state is what is meant
    torch.manual_seed(seed)


def epoch_order(run: TrainingRun, epoch: int, count: int) -> Tensor:
    """The order of the train images in an epoch, which depends on the seed and the epoch alone, shape (count,)."""
    return torch.from_numpy(np.random.default_rng((run.seed, epoch)).permutation(count))


def _to_device(split: Split, run: TrainingRun) -> Split:
    images, labels = split.images.to(run.device), split.labels.to(run.device)
    if run.channels_last:
        images = images.contiguous(memory_format=torch.channels_last)
    return dataclasses.replace(split, images=images, labels=labels)


class _Training:
    """A run in progress."""

    def __init__(self, run: TrainingRun, data: Dataset, clock: Clock, report: Report) -> None:
        self.run, self.clock, self.report = run, clock, report
        parts = data.train, data.validation, data.test
        self.train_set, self.validation, self.test = (_to_device(part, run) for part in parts)
        self.steps = len(self.train_set) // run.batch_size  # of an epoch
        if self.steps == 0:
            raise InvalidCase(f"batch_size {run.batch_size} is not allowed; allowed: 2 to {len(self.train_set)}")
        self.model = build_network(run, data.channels, data.num_classes, run.device)
        self.call: Callable[[Tensor], Tensor] = torch.compile(self.model) if run.compile else self.model
        self.optimiser = _adam(self.model, run)
        counted = count_macs(self.model, self.train_set.images[:1])  # one image: the convolution is that of one image
        self.macs_per_step = PASSES_PER_STEP * (counted["kernel_generation"] + run.batch_size * counted["convolution"])
        self.last_step = self._last_step()
        self.fields: dict[str, Any] = {
            "parameters": sum(parameter.numel() for parameter in self.model.parameters()),
            "macs_per_image": {
                "kernel_generation_per_step": counted["kernel_generation"],
                "convolution": counted["convolution"],
            },
            "data": data.description(),
            "epochs": [],
            "best_epoch": None,
            "stopped": None,
        }
        self.step = 0  # done, of the whole run
        self.seconds = self.evaluation_seconds = 0.0
        self.best_accuracy = -1.0
        self.best_weights: dict[str, Tensor] = {}

    def _last_step(self) -> int | None:
        run = self.run
        if run.budget_unit == "epochs":
            return int(run.budget) * self.steps
        if run.budget_unit == "seconds":
            return None
        steps = int(run.budget // self.macs_per_step)
        if steps == 0:
            raise InvalidCase(f"budget {run.budget} is not allowed; one step takes {self.macs_per_step} macs")
        return steps

    def result(self) -> dict[str, Any]:
        """Train to the end of the budget; returns the measured fields."""
        peak_bytes = self._peak_bytes()
        self._end_epoch(0, {"train_loss": None, "train_accuracy": None, "learning_rate": None}, None)
        epoch = 0
        while not self._budget_met(self.seconds):
            epoch += 1
            seconds, step = self.seconds, self.step
            learned = self._epoch(epoch)
            learned["images_per_second"] = (self.step - step) * self.run.batch_size / (self.seconds - seconds)
            self._end_epoch(epoch, learned, peak_bytes)
        return self._finish()

    def _budget_met(self, seconds: float) -> bool:
        if self.last_step is None:
            return seconds >= self.run.budget
        return self.step >= self.last_step

    def _epoch(self, epoch: int) -> dict[str, Any]:
        """One pass over the images in a random order, or as much of it as the budget allows."""
        run, images, labels = self.run, self.train_set.images, self.train_set.labels
        self.model.train()
        # Summed on the device: to read them there would be to wait.
        loss_sum = torch.zeros((), dtype=torch.float64, device=images.device)
        correct = torch.zeros((), dtype=torch.int64, device=images.device)
        order = epoch_order(run, epoch, len(labels)).to(images.device)
        done = 0
        rate = 0.0
        start = self.clock()
        elapsed = self.seconds
        for batch in order[: self.steps * run.batch_size].split(run.batch_size):
            rate = run.learning_rate_at(self._progress(elapsed))
            loss, logits = self._take_step(images[batch], labels[batch], rate)
            loss_sum += loss
            correct += (logits.argmax(dim=1) == labels[batch]).sum()
            self.step += 1
            done += 1
            if done % STEPS_BETWEEN_CHECKS == 0:
                self._check(loss_sum.item(), epoch)
            if self.last_step is None:
                elapsed = self.seconds + self.clock() - start
            if self._budget_met(elapsed):
                break
        self.seconds += self.clock() - start
        self._check(loss_sum.item(), epoch)
        return {
            "train_loss": loss_sum.item() / done,
            "train_accuracy": correct.item() / (done * run.batch_size),
            "learning_rate": rate,
        }

    def _progress(self, seconds: float) -> float:
        if self.last_step is None:
            return min(seconds / self.run.budget, 1.0)
        return (self.step + 0.5) / self.last_step

    def _take_step(self, images: Tensor, labels: Tensor, rate: float) -> tuple[Tensor, Tensor]:
        self.optimiser.zero_grad(set_to_none=True)
        with self._autocast():
            logits = self.call(images)
        loss = cross_entropy(logits.float(), labels)
        loss.backward()
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.step()
        return loss.detach(), logits.detach()

    def _autocast(self) -> contextlib.AbstractContextManager[object]:
        if self.run.dtype == "float32":
            return contextlib.nullcontext()
        return torch.autocast(self.run.device, torch.bfloat16)

    def _check(self, loss: float, epoch: int, kind: str = "train") -> None:
        if not math.isfinite(loss):
            self.fields["stopped"] = "diverged"
            self.report(self.fields)
            raise Diverged(f"the {kind} loss is {loss} in epoch {epoch}")

    def _end_epoch(self, epoch: int, learned: dict[str, Any], peak_bytes: int | None) -> None:
        start = self.clock()
        self.model.eval()
        loss, accuracy = evaluation.evaluate(self.call, self.validation, self._autocast)
        error = evaluation.turning_error(self.model, self.validation, self._autocast)
        self._check(loss, epoch, "validation")
        self.evaluation_seconds += self.clock() - start
        if epoch and accuracy > self.best_accuracy:  # ties go to the earlier epoch
            self.best_accuracy, self.fields["best_epoch"] = accuracy, epoch
            self.best_weights = {name: value.clone() for name, value in self.model.state_dict().items()}
        self.fields["epochs"].append(
            {
                "epoch": epoch,
                "seconds": self.seconds,
                "evaluation_seconds": self.evaluation_seconds,
                "macs": self.step * self.macs_per_step,
                "images_per_second": None,
                **learned,
                "validation_loss": loss,
                "validation_accuracy": accuracy,
                "peak_bytes": peak_bytes,
                "equivariance_error": error,
                "redundancy": evaluation.redundancy(self.model) if epoch == 0 else None,
            }
        )
        self.report(self.fields)

    def _finish(self) -> dict[str, Any]:
        """Look at the test images with the weights of the best epoch."""
        epochs = self.fields["epochs"]
        self.fields["stopped"] = "budget"
        self.fields["weights_sha256"] = evaluation.state_hash(self.model)
        epochs[-1]["redundancy"] = evaluation.redundancy(self.model)
        self.model.load_state_dict(self.best_weights)
        self.model.eval()
        epochs[self.fields["best_epoch"]]["redundancy"] = evaluation.redundancy(self.model)
        loss, accuracy = evaluation.evaluate(self.call, self.test, self._autocast)
        self.fields |= {"test_loss": loss, "test_accuracy": accuracy}
        return self.fields

    def _peak_bytes(self) -> int:
        """Of one training step, after a first one, which also brings up whatever is made once; both are undone."""
        run, count = self.run, self.run.batch_size
        images, labels = self.train_set.images[:count], self.train_set.labels[:count]
        state = {name: value.clone() for name, value in self.model.state_dict().items()}
        devices = [torch.cuda.current_device()] if run.device == "cuda" else []
        self.model.train()
        with torch.random.fork_rng(devices):
            step = lambda: self._take_step(images, labels, run.learning_rate)  # noqa: E731
            step()
            peak = peak_memory(step, run.device, prepare=lambda: self.model.zero_grad(set_to_none=True))
        self.model.load_state_dict(state)
        self.model.zero_grad(set_to_none=True)
        self.optimiser = _adam(self.model, run)
        return int(peak["peak_bytes"])


def _adam(model: nn.Module, run: TrainingRun) -> torch.optim.Adam:
    """One operation for all parameters, of which kernel nets have many small ones."""
    return torch.optim.Adam(model.parameters(), lr=run.learning_rate, weight_decay=run.weight_decay, fused=True)
