"""Evaluation of a network: loss, accuracy, equivariance error, redundancy of its kernels, hash of its weights."""

import contextlib
import dataclasses
import hashlib
import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benchmarks.datasets import Split
from benchmarks.training.augmentation import Augmentation
from benchmarks.training.parallel import WHOLE, Share
from gcnn_impl import SO2, Group, equivariance_error, layer_errors
from gcnn_impl.redundancy import network_redundancy

EVALUATION_BATCH = 256
# The equivariance error takes four passes over these images after every epoch: 1 or 2 % of the epoch's time.
EQUIVARIANCE_IMAGES = 16
QUARTER_TURNS = SO2(4)

Autocast = Callable[[], contextlib.AbstractContextManager[object]]


@torch.no_grad()
def evaluate(
    model: Callable[[Tensor], Tensor], split: Split, autocast: Autocast = contextlib.nullcontext, share: Share = WHOLE
) -> tuple[float, float]:
    """Return the mean loss, and the fraction of images that a model in eval mode classifies correctly.

    Every process evaluates its share of the images; the result covers the images of all processes.
    """
    loss = torch.zeros((), dtype=torch.float64, device=split.images.device)
    correct = torch.zeros((), dtype=torch.int64, device=split.images.device)
    rows = share.rows(len(split))
    batches = split.images[rows].split(EVALUATION_BATCH), split.labels[rows].split(EVALUATION_BATCH)
    for images, labels in zip(*batches, strict=True):
        with autocast():
            logits = model(images)
        loss += cross_entropy(logits.float(), labels, reduction="sum")
        correct += (logits.argmax(dim=1) == labels).sum()
    return share.total(loss).item() / len(split), share.total(correct).item() / len(split)


def turning_error(model: nn.Module, split: Split, autocast: Autocast = contextlib.nullcontext) -> float | None:
    """Return the largest relative change of a model's logits when images are turned by 90°, 180° or 270°.

    The angles are the same for every network, also for plain networks and networks on two rotations, so that errors
    can be compared. The result is None when the error is not finite.
    """
    with autocast():
        error = equivariance_error(model, split.images[:EQUIVARIANCE_IMAGES], QUARTER_TURNS)
    return error if math.isfinite(error) else None


class _FromBlack(nn.Module):
    """A network on images of which black is 0, so that what a turned image lacks is black."""

    def __init__(self, network: nn.Module, black: Tensor) -> None:
        super().__init__()
        self.network, self.black = network, black

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x + self.black)  # type: ignore[no-any-return]


def errors_by_layer(
    model: nn.Module, split: Split, group: Group | None, augmentation: Augmentation
) -> dict[str, float] | None:
    """Return the error of every map on the group, in the order of the layers; None without a rotation to try.

    The rotations, and reflections, are those of the grid on H that interpolate pixels. What a turned image lacks is
    black, as where an augmentation turns it. A quarter of the image is not compared at each edge.
    """
    if group is None:
        return None
    elements, images = group.elements(), split.images[:EQUIVARIANCE_IMAGES]
    matrices = torch.stack([group.matrix(g) for g in elements])
    keeps_size = (torch.linalg.det(matrices).abs() - 1).abs() < 1e-9
    interpolates = (matrices - matrices.round()).abs().amax((1, 2)) > 1e-9
    if not (keeps_size & interpolates).any():
        return None
    black = augmentation.black(images)
    network, chosen = _FromBlack(model, black), elements[keeps_size & interpolates]
    errors = layer_errors(network, images - black, group, chosen, border=images.shape[-1] // 4)
    return {name.removeprefix("network."): error for name, error in errors.items() if math.isfinite(error)} or None


@torch.no_grad()
def turns(
    model: nn.Module, split: Split, augmentation: Augmentation, count: int
) -> Iterator[tuple[float, Split, float | None]]:
    """Yield evenly spaced angles, in degrees from 0 on, and the images that an augmentation turns by each.

    The third value is the relative change of the logits of some images; None where it is not finite.
    """

    def logits(images: Tensor) -> Tensor:
        return model(images[:EQUIVARIANCE_IMAGES]).float()  # type: ignore[no-any-return]

    upright = logits(split.images) if count else split.images
    for angle in (360 * i / count for i in range(count)):
        angles = torch.full((len(split),), angle, dtype=torch.float64, device=split.images.device)
        turned = dataclasses.replace(split, images=augmentation.pose(split.images, angles, torch.ones_like(angles)))
        change = float(torch.linalg.vector_norm(logits(turned.images) - upright) / torch.linalg.vector_norm(upright))
        yield angle, turned, change if math.isfinite(change) else None


def explained_energies(model: nn.Module) -> dict[str, dict[str, float]] | None:
    """Return, by group-to-group layer, the share of its energy that each variant explains; None without such layers."""
    layers = network_redundancy(model)
    # Rounding can turn a share of 1 into about 1 + 1e-16.
    return {
        layer: {variant: min(share, 1.0) for variant, share in shares.items()} for layer, shares in layers.items()
    } or None


def state_hash(model: nn.Module) -> str:
    """Return the SHA-256 of the state_dict: names in alphabetical order, each with its dtype, shape and bytes."""
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
