"""A ``Learner``: a network with its optimiser, one training step, and the state on which the next step depends."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benchmarks.cases.training_run import TrainingRun
from benchmarks.datasets import Split
from benchmarks.measure.memory import peak_memory
from benchmarks.training import evaluation
from benchmarks.training.augmentation import Augmentation
from benchmarks.training.networks import build_network
from benchmarks.training.parallel import Share, distribute
from benchmarks.workloads.workload import set_mode


class Learner:
    """The network of a run, its optimiser, and the epoch's sums over this process's share of every batch.

    ``loss_sum`` adds the mean losses of the steps, ``correct`` counts correctly classified images. Both stay on
    the device, because reading them waits for the device.
    """

    def __init__(self, run: TrainingRun, channels: int, classes: int, share: Share, augmentation: Augmentation) -> None:
        self.run, self.share, self.augmentation = run, share, augmentation
        self.model = build_network(run, channels, classes, run.device)
        self.loss_sum = torch.zeros((), dtype=torch.float64, device=run.device)
        self.correct = torch.zeros((), dtype=torch.int64, device=run.device)
        self._optimiser = _adam(self.model, run)
        self._call: Callable[[Tensor], Tensor] = self.model
        self._trained_call: Callable[[Tensor], Tensor] = self.model

    def start(self) -> None:
        """Compile the network or distribute it over processes; its MACs must have been counted before."""
        if self.run.compile:
            self._call = self._trained_call = torch.compile(self.model)
        elif self.share.count > 1:
            self._trained_call = distribute(self.model, self.share, self.run.batch_size)

    @property
    def rate(self) -> float:
        """The learning rate of the last step."""
        return float(self._optimiser.param_groups[0]["lr"])

    def begin_epoch(self) -> None:
        """Set the sums to zero."""
        self.loss_sum.zero_()
        self.correct.zero_()

    def take_step(self, images: Tensor, labels: Tensor, rate: float) -> None:
        """Take one step of Adam with this process's rows of a batch, augmented; average gradients over processes."""
        self._optimiser.zero_grad(set_to_none=True)
        images = self.augmentation(images, self.share.rows(self.run.batch_size), self.run.batch_size)
        with self.autocast():
            logits = self._trained_call(images)
        loss = cross_entropy(logits.float(), labels, reduction="sum") / self.run.batch_size
        (loss * self.share.count).backward()
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        self._optimiser.step()
        self.loss_sum += loss.detach()
        self.correct += (logits.detach().argmax(dim=1) == labels).sum()

    def totals(self) -> tuple[float, int]:
        """Return ``loss_sum`` and ``correct``, summed over all processes."""
        return self.share.total(self.loss_sum).item(), int(self.share.total(self.correct).item())

    def evaluate(self, split: Split) -> tuple[float, float]:
        """Set the network to eval mode, and return its mean loss and accuracy."""
        set_mode(self.model, training=False)
        return evaluation.evaluate(self._call, split, self.autocast, self.share)

    def autocast(self) -> contextlib.AbstractContextManager[object]:
        """Return the context of forward passes: autocast to bfloat16, or an empty context for float32."""
        if self.run.dtype == "float32":
            return contextlib.nullcontext()
        return torch.autocast(self.run.device, torch.bfloat16)

    def rehearse(self, images: Tensor, labels: Tensor, clock: Callable[[], float]) -> tuple[int, float]:
        """Take two steps and undo them.

        Returns:
            The peak memory of the second step, in bytes, and the seconds of the first step, including compilation.
        """
        weights = self.weights()
        set_mode(self.model, training=True)
        with torch.random.fork_rng([torch.cuda.current_device()] if self.run.device == "cuda" else []):
            start = clock()
            self.take_step(images, labels, self.run.learning_rate)
            seconds = clock() - start
            peak = peak_memory(
                lambda: self.take_step(images, labels, self.run.learning_rate),
                self.run.device,
                prepare=lambda: self.model.zero_grad(set_to_none=True),
            )
        self.load_weights(weights)
        self.model.zero_grad(set_to_none=True)
        self._optimiser = _adam(self.model, self.run)
        return int(peak["peak_bytes"]), seconds

    def weights(self) -> dict[str, Tensor]:
        """Return a copy of the network's state."""
        with self._in_train_mode():
            return {name: value.clone() for name, value in self.model.state_dict().items()}

    def load_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Restore the network from a result of ``weights``."""
        with self._in_train_mode():
            self.model.load_state_dict(weights)

    @contextlib.contextmanager
    def _in_train_mode(self) -> Iterator[None]:
        """Some networks (of escnn) have further tensors in their state in eval mode, which they compute themselves."""
        training = self.model.training
        set_mode(self.model, training=True)
        try:
            yield
        finally:
            set_mode(self.model, training=training)

    def state(self) -> dict[str, Any]:
        """Return all that the next steps depend on. Only torch's generators draw random numbers in training."""
        return {
            "model": self.weights(),
            "optimiser": self._optimiser.state_dict(),
            "loss_sum": self.loss_sum,
            "correct": self.correct,
            "generator": torch.get_rng_state(),
            "device_generator": torch.cuda.get_rng_state() if self.run.device == "cuda" else None,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Restore the learner from a result of ``state``; raise any exception for another state.

        After an exception only parts may be restored.
        """
        self.load_weights(state["model"])
        self._optimiser.load_state_dict(state["optimiser"])
        for parameter, values in self._optimiser.state.items():  # whose shapes the optimiser does not check
            if any(value.shape not in (parameter.shape, ()) for value in values.values()):
                raise ValueError("the optimiser's state has other shapes than the parameters")
        self.loss_sum.copy_(state["loss_sum"])
        self.correct.copy_(state["correct"])
        torch.set_rng_state(state["generator"])
        if state["device_generator"] is not None:
            torch.cuda.set_rng_state(state["device_generator"])


def _adam(model: nn.Module, run: TrainingRun) -> torch.optim.Adam:
    """Return a fused Adam, which updates all parameters in one operation: kernel networks have many small ones."""
    return torch.optim.Adam(model.parameters(), lr=run.learning_rate, weight_decay=run.weight_decay, fused=True)
