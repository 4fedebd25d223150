"""Training of one network in this process.

The test images are used once, after training, with the weights of the epoch that the validation images chose.
"""

import copy
import dataclasses
import math
import time
from typing import Any

import torch
import torch._dynamo  # optimisers need it, 1 s; here the process server imports it once for all runs
from torch import Tensor

from benchmarks.cases.case import InvalidCase
from benchmarks.cases.training_run import TrainingRun
from benchmarks.datasets import Dataset
from benchmarks.measure.clock import Clock, synchronised_clock
from benchmarks.measure.macs import step_macs, trace_macs
from benchmarks.records.field import empty
from benchmarks.records.provenance import software
from benchmarks.records.training_fields import TRAINING_MEASURED
from benchmarks.running.isolated import Report
from benchmarks.running.outstanding import own_code_of
from benchmarks.training import evaluation
from benchmarks.training.augmentation import Augmentation
from benchmarks.training.budget import last_step
from benchmarks.training.checkpoints import CODE, Checkpoint, Position, UnusableCheckpoint, machine_of_run
from benchmarks.training.folders import DEFAULT_FOLDERS, Folders
from benchmarks.training.images import epoch_order, load_images, seed_everything, to_device
from benchmarks.training.learner import Learner
from benchmarks.training.parallel import Share, share_of
from benchmarks.workloads.build import configure
from benchmarks.workloads.shapes import group_of
from benchmarks.workloads.workload import set_mode

# Steps between two checks of the loss; more checks would cost time, because reading the loss waits for the device.
STEPS_BETWEEN_CHECKS = 16
# The largest share of the time that goes into writing checkpoints.
CHECKPOINT_SHARE = 0.01


class Diverged(RuntimeError):  # noqa: N818
    """A loss is not a finite number."""


def train(
    run: TrainingRun,
    report: Report = lambda fields: None,
    *,
    data: Dataset | None = None,
    clock: Clock | None = None,
    folders: Folders = DEFAULT_FOLDERS,
) -> dict[str, Any]:
    """Train a run in this process, from its checkpoint if there is one; set global seeds and the number of threads.

    At the end the checkpoint holds the result, which the next call returns at once. Delete it once the result is kept.

    Args:
        run: the run to train.
        report: called with the fields known so far: before training, after every epoch and at every checkpoint.
        data: images that replace the run's data set.
        clock: clock, in seconds; the default clock waits for the device.
        folders: folders of the images and the checkpoints.

    Returns:
        The measured fields of the record; docs/training.md lists them.

    Raises:
        Diverged: when a loss is nan or infinite.
        InvalidCase: for a batch larger than the train images, a budget smaller than one step, or a run whose
            ``processes`` is not the number of running processes.
        DataError: for images that are missing or damaged.
        OSError: when a checkpoint cannot be written.
    """
    share = share_of(run)
    configure(run.case())
    torch.backends.cudnn.deterministic = True
    seed_everything(run.seed)
    if data is None:
        data = share.one_after_the_first(lambda: load_images(run, folders))
    clock = synchronised_clock(run.device) if clock is None else clock
    return _Training(run, data, clock, report, share, folders).result()


class _Training:
    """A run in progress."""

    def __init__(
        self, run: TrainingRun, data: Dataset, clock: Clock, report: Report, share: Share, folders: Folders
    ) -> None:
        self.run, self.clock, self.report, self.share = run, clock, report, share
        parts = data.train, data.validation, data.test
        self.train_set, self.validation, self.test = (to_device(part, run) for part in parts)
        self.epoch_steps = (images := run.epoch_images or len(self.train_set)) // run.batch_size
        if self.epoch_steps == 0:
            raise InvalidCase(f"batch_size {run.batch_size} is not allowed; allowed: 2 to {images}")
        self.augmentation = Augmentation.of(run, data.mean, data.std)
        self.learner = Learner(run, data.channels, data.num_classes, share, self.augmentation)
        model, image = self.learner.model, self.train_set.images[:1]
        self.macs_per_step = step_macs(trace_macs(model, image), run.batch_size)
        with torch.random.fork_rng(devices=[]):  # the count of sampled networks draws grids
            counted = trace_macs(set_mode(model, training=False), image)
        self.last_step = last_step(run, self.epoch_steps, self.macs_per_step)
        self.fields = empty(TRAINING_MEASURED) | {
            "parameters": sum(parameter.numel() for parameter in model.parameters()),
            "macs_per_image": {
                "kernel_generation_per_step": counted["kernel_generation"],
                "convolution": counted["convolution"],
            },
            "data": data.description(),
        }
        self.at = Position()
        self.best_weights: dict[str, Tensor] = {}
        self.checkpoint = None
        path = folders.checkpoint(run.id)
        if path is not None and share.rank == 0:
            made_by = {"data": data.description(), "torch": str(torch.__version__), "commit": software()["commit"]}
            code = {"code": CODE, "the user's network": own_code_of([run])}
            self.checkpoint = Checkpoint(path, {**made_by, **code, "machine": machine_of_run(run)})
        self.checkpoint_seconds = folders.checkpoint_seconds
        self.next_checkpoint = time.monotonic() + self.checkpoint_seconds

    def result(self) -> dict[str, Any]:
        """Train to the end of the budget and return the measured fields."""
        state = self.share.from_first(self._load)
        if state is not None and "result" in state:
            return {**self.fields, **state["result"]}
        self.learner.start()
        rows = self.share.rows(self.run.batch_size)
        first = epoch_order(self.run, 0, len(self.train_set))[: self.run.batch_size][rows].to(
            self.train_set.images.device
        )
        images, labels = self.train_set.images[first], self.train_set.labels[first]
        peak_bytes, first_seconds = self.learner.rehearse(images, labels, self.clock)
        if self.run.compile:
            self.fields["compile_seconds"] = first_seconds
        if state is None or not self._resume(state):
            self._end_epoch(0, {})
        # A run may resume after its last step and before the end of that step's epoch.
        while self.at.epoch_steps or not self._budget_met(self.at.seconds):
            learned = self._epoch()
            self._end_epoch(self.at.epoch, {**learned, "peak_bytes": peak_bytes})
            self.at.epoch += 1
            self.at.epoch_steps, self.at.epoch_seconds = 0, 0.0
            self._save_if_due()
        self._finish()
        self._save_result()
        return self.fields

    def _budget_met(self, seconds: float) -> bool:
        if self.last_step is None:
            return seconds >= self.run.budget
        return self.at.steps >= self.last_step

    def _progress(self, seconds: float) -> float:
        if self.last_step is None:
            return min(seconds / self.run.budget, 1.0)
        return (self.at.steps + 0.5) / self.last_step

    def _epoch(self) -> dict[str, Any]:
        """Train to the end of the epoch or of the budget, and return the epoch's fields about training."""
        run, at, images, labels = self.run, self.at, self.train_set.images, self.train_set.labels
        set_mode(self.learner.model, training=True)
        if at.epoch_steps == 0:
            self.learner.begin_epoch()
        order = epoch_order(run, at.epoch, len(labels)).to(images.device)
        batches = order[: self.epoch_steps * run.batch_size].split(run.batch_size)
        rows = self.share.rows(run.batch_size)
        start, elapsed = self.clock(), at.seconds
        for batch in batches[at.epoch_steps :]:
            if self._budget_met(elapsed):
                break
            mine = batch[rows]
            self.learner.take_step(images[mine], labels[mine], run.learning_rate_at(self._progress(elapsed)))
            at.steps += 1
            at.epoch_steps += 1
            if at.epoch_steps % STEPS_BETWEEN_CHECKS == 0:
                self._check(self.learner.totals()[0], "train", at.epoch)
            if time.monotonic() >= self.next_checkpoint:
                at.add(self.clock() - start)
                self._save_if_due()
                start = self.clock()
            if self.last_step is None:
                elapsed = self.share.agree(at.seconds + self.clock() - start, images.device)
        at.add(self.clock() - start)
        at.seconds = self.share.agree(at.seconds, images.device)
        loss, correct = self.learner.totals()
        self._check(loss, "train", at.epoch)
        done = at.epoch_steps * run.batch_size
        return {
            "train_loss": loss / at.epoch_steps,
            "train_accuracy": correct / done,
            "learning_rate": self.learner.rate,
            "images_per_second": done / at.epoch_seconds,
        }

    def _check(self, loss: float, kind: str, epoch: int) -> None:
        """If a loss is not finite, report the fields and raise ``Diverged``."""
        if not math.isfinite(loss):
            self.fields["stopped"] = "diverged"
            self.report(self.fields)
            raise Diverged(f"the {kind} loss is {loss} in epoch {epoch}")

    def _end_epoch(self, epoch: int, learned: dict[str, Any]) -> None:
        """Evaluate the network on the validation images, add the epoch's entry to the fields and report them."""
        at = self.at
        start = self.clock()
        loss, accuracy = self.learner.evaluate(self.validation)
        self._check(loss, "validation", epoch)
        error = evaluation.turning_error(self.learner.model, self.validation, self.learner.autocast)
        at.evaluation_seconds += self.clock() - start
        if epoch and accuracy > at.best_accuracy:  # ties go to the earlier epoch
            at.best_accuracy, self.fields["best_epoch"] = accuracy, epoch
            self.best_weights = self.learner.weights()
        nothing = ("train_loss", "train_accuracy", "learning_rate", "images_per_second", "peak_bytes")
        self.fields["epochs"].append(
            {
                "epoch": epoch,
                "seconds": at.seconds,
                "evaluation_seconds": at.evaluation_seconds,
                "macs": None if self.macs_per_step is None else at.steps * self.macs_per_step,
                **dict.fromkeys(nothing),
                **learned,
                "validation_loss": loss,
                "validation_accuracy": accuracy,
                "equivariance_error": error,
                "redundancy": None if epoch else evaluation.explained_energies(self.learner.model),
            }
        )
        self.report(self.fields)

    def _finish(self) -> None:
        """Evaluate the weights of the best epoch on the test images."""
        model, epochs = self.learner.model, self.fields["epochs"]
        self.fields["stopped"] = "budget"
        self.fields["weights_sha256"] = evaluation.state_hash(model)
        epochs[-1]["redundancy"] = evaluation.explained_energies(model)
        self.learner.load_weights(self.best_weights)
        epochs[self.fields["best_epoch"]]["redundancy"] = evaluation.explained_energies(model)
        loss, accuracy = self.learner.evaluate(self.test)
        self.fields |= {"test_loss": loss, "test_accuracy": accuracy}
        self.fields["equivariance_error_by_layer"] = evaluation.errors_by_layer(
            model, self.test, group_of(self.run.case()), self.augmentation
        )
        self.fields["test_by_angle"] = [
            {"angle": angle, "accuracy": self.learner.evaluate(split)[1], "equivariance_error": change}
            for angle, split, change in evaluation.turns(model, self.test, self.augmentation, self.run.test_angles)
        ]

    def _save_if_due(self) -> None:
        """If it is time, report the fields and write a checkpoint. Reports show that a long epoch is still running."""
        start = time.monotonic()
        if start < self.next_checkpoint:
            return
        self.report(self.fields)
        if self.checkpoint is not None:
            state = {"at": dataclasses.asdict(self.at), "fields": self.fields, "learner": self.learner.state()}
            self.checkpoint.save({**state, "best_weights": self.best_weights})
        end = time.monotonic()
        self.next_checkpoint = end + max(self.checkpoint_seconds, (end - start) / CHECKPOINT_SHARE)

    def _save_result(self) -> None:
        """Write a checkpoint with the result, so that it is not lost if this process or its parent is killed now."""
        if self.checkpoint is not None:
            try:
                self.checkpoint.save({"result": self.fields})
            except OSError as error:  # the previous checkpoint stays, and the record may still be written
                self.fields["warnings"].append(str(error))

    def _resume(self, state: dict[str, Any]) -> bool:
        """Resume from the state in a checkpoint; return False, with a warning, where that is impossible."""
        untouched = copy.deepcopy(self.learner.state())
        device = self.train_set.images.device
        try:
            at = Position.of(state["at"])
            fields = {**self.fields, **state["fields"], "resumed": state["fields"]["resumed"] + 1}
            best_weights = {name: value.to(device) for name, value in state["best_weights"].items()}
            self.learner.load_state(state["learner"])
        except Exception as error:  # all processes have the same state, and give it up together
            self.learner.load_state(untouched)
            if self.checkpoint is not None:
                self.fields["warnings"].append(self.checkpoint.unusable(error))
            return False
        self.at, self.fields, self.best_weights = at, fields, best_weights
        return True

    def _load(self) -> dict[str, Any] | None:
        if self.checkpoint is None:
            return None
        try:
            return self.checkpoint.load()
        except UnusableCheckpoint as error:
            self.fields["warnings"].append(str(error))
            return None
