"""The studies by name and scale; a study may have several parts, which differ in the images. Needs no torch.

Scale ``standard`` is for two cores and about two hours, ``quick`` for minutes, ``paper`` for a GPU.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from benchmarks.studies.contenders import Contender
from benchmarks.studies.study import Study

# The reference has the smallest width at which networks with |H| = 16 and an integer C come within a third of its time.
_DIGITS = Study("rotated-digits", image_size=14)
# Against augmentation: the kinds of contenders at one |H|.
_ALTERNATIVES: dict[str, Any] = {
    "kinds": ("plain", "plain+", "averaged", "averaged+", "canonical", "full", "separable", "separable+"),
    "resolutions": (8,),
}
# Images of 20 × 20 pixels: at 14 × 14, no network reaches 97.5 %.
_MNIST = Study("rotated-mnist", image_size=20, channels=8, epochs=15, search_epochs=3, **_ALTERNATIVES)
_SIZES = (100, 300, 1000, 3000, 10_000)
_EFFICIENCY = replace(
    _MNIST,
    kinds=("plain", "plain+", "averaged+", "canonical", "separable", "separable+"),
    epochs=6,
    search_epochs=2,
    epoch_images=10_000,
    matches=("parameters",),
)
_POSE = replace(
    _MNIST,
    kinds=("plain", "plain+", "averaged", "canonical", "full", "separable"),
    epochs=6,
    search_epochs=2,
    test_angles=24,
    limit=10_000,
    matches=("parameters",),
)
_ROT_SCALE = replace(
    _MNIST,
    dataset="mnist-rot-scale",
    kinds=("plain", "plain+", "separable", "sim2", "sim2+"),
    resolutions=(4, 8),
    augmentation="rotations+scales",
    image_size=28,
    limit=10_000,
    epochs=8,
    search_epochs=2,
)
# Without dropout: at these widths it drops half of few channels, and no network learns in these epochs.
_CIFAR = Study(
    "cifar10-jpeg",
    image_size=32,
    network="allcnnc",
    kinds=("plain", "plain+", "averaged", "separable"),
    resolutions=(4, 8),
    reference=Contender("separable", "SO2", 4),
    channels=8,
    limit=10_000,
    epochs=8,
    search_epochs=2,
    matches=("time",),
    dropout=0.0,
)
_EQUAL_MAPS = replace(_MNIST, kinds=("plain", "plain+", "separable", "full"), resolutions=(4, 8), matches=("maps",))
_QUICK: dict[str, Any] = {"resolutions": (4,), "reference": Contender("separable", "SO2", 4), "seeds": 3}
_FEW: dict[str, Any] = {**_QUICK, "image_size": 14, "limit": 2500, "channels": 5, "epochs": 3, "search_epochs": 1}
# The paper's network, images and number of epochs.
_PAPER: dict[str, Any] = {
    "kernel_size": 7,
    "hidden_features": 64,
    "channels": 32,
    "resolutions": (4, 8, 16),
    "search_epochs": 30,
    "device": "cuda",
    "limit": None,
}
_LONG: dict[str, Any] = {**_PAPER, "image_size": 28, "epochs": 300, "recipe": "paper"}


def _by_size(study: Study, sizes: tuple[int, ...]) -> tuple[Study, ...]:
    return tuple(replace(study, train_limit=size) for size in sizes)


def _by_pose(study: Study) -> tuple[Study, ...]:
    return tuple(replace(study, dataset=dataset) for dataset in ("mnist-upright", "mnist-tilted"))


STUDIES: Mapping[str, Mapping[str, tuple[Study, ...]]] = {
    "rotated-digits": {
        "quick": (replace(_DIGITS, **_QUICK | {"resolutions": (2, 4)}, epochs=6, search_epochs=3),),
        "standard": (_DIGITS,),
        "paper": (replace(_DIGITS, **_PAPER, image_size=16, epochs=100),),
    },
    "rotated-mnist": {
        "quick": (replace(_MNIST, **_FEW),),
        "standard": (_MNIST,),
        "paper": (replace(_MNIST, **_LONG),),
    },
    "data-efficiency": {
        "quick": _by_size(replace(_EFFICIENCY, **_FEW, epoch_images=2500), (100, 1000)),
        "standard": _by_size(_EFFICIENCY, _SIZES),
        "paper": _by_size(replace(_EFFICIENCY, **_LONG | {"epochs": 60, "search_epochs": 6}), _SIZES),
    },
    "pose": {
        "quick": _by_pose(replace(_POSE, **_FEW, test_angles=8)),
        "standard": _by_pose(_POSE),
        "paper": _by_pose(replace(_POSE, **_LONG | {"epochs": 60, "search_epochs": 6})),
    },
    "mnist-rot-scale": {
        "quick": (replace(_ROT_SCALE, **_FEW),),
        "standard": (_ROT_SCALE,),
        "paper": (replace(_ROT_SCALE, **_LONG),),
    },
    "cifar10-jpeg": {
        "quick": (replace(_CIFAR, limit=1000, image_size=16, channels=4, epochs=2, search_epochs=1, resolutions=(4,)),),
        "standard": (_CIFAR,),
        "paper": (
            replace(_CIFAR, **_PAPER | {"resolutions": (4, 8)}, kinds=(*_CIFAR.kinds, "full"), epochs=100, dropout=1.0),
        ),
    },
    "equal-maps": {
        "quick": (replace(_EQUAL_MAPS, **_FEW),),
        "standard": (_EQUAL_MAPS,),
        "paper": (replace(_EQUAL_MAPS, **_LONG),),
    },
}
