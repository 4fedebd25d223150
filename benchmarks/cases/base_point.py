"""The base point of some cases: the setting that most of them have in common, and the layers that are there."""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence

from benchmarks.cases.case import OURS, Case
from benchmarks.cases.groups import TRIVIAL
from benchmarks.cases.variants import BASIC

PASSES = ("forward", "forward_backward")


def equal_maps(cases: Sequence[Case]) -> list[Case]:
    """Return the plain convolutions with as many channels as the layers of the base point have maps, C·|H|.

    ``cases`` are those of one device. The base point has the most frequent channels, |H| and other sizes of our layers;
    the passes and threads are those of the plain convolutions that are there.
    """
    base = _most_frequent(_sizes(case) for case in cases if case.layer == "conv" and case.group != TRIVIAL)
    plain = (case for case in cases if case.layer == "conv" and case.variant == "plain")
    usual = (case for case in plain if case.execution == "eager" and case.dtype == "float32")
    return [
        dataclasses.replace(case, channels=case.channels * int(base[0]))
        for case in usual
        if _sizes(case)[1:] == base[1:] and case.direction in PASSES
    ]


def layers_at_base(cases: Iterable[Case]) -> list[Case]:
    """Return our basic layers at the base point of each device, in inference and training, eager and in float32."""
    by_device: dict[str, list[Case]] = {}
    for case in cases:
        if case.layer == "conv":
            by_device.setdefault(case.device, []).append(case)
    found = []
    for here in by_device.values():
        base = _most_frequent(_point(case) for case in here if case.group != TRIVIAL)
        free = len(("group", "resolution"))  # the axes on which plain layers have no choice
        usual = [case for case in here if _is_usual(case)]
        found += [
            case
            for case in usual
            if _point(case) == base or (case.group == TRIVIAL and _point(case)[free:] == base[free:])
        ]
    return found


def _is_usual(case: Case) -> bool:
    """Return whether a layer is one of our basic ones as it is used by default."""
    ours = case.implementation == OURS and case.variant in BASIC and case.direction in PASSES
    kept = "cached" if case.direction == "forward" else "generated"
    return ours and case.execution == "eager" and case.dtype == "float32" and case.kernels == kept


def _point(case: Case) -> tuple[str | int, ...]:
    return case.group, *_sizes(case), case.threads


def _most_frequent(points: Iterable[tuple[str | int, ...]]) -> tuple[str | int, ...]:
    """Return the most frequent value of each coordinate; empty without points."""
    return tuple(Counter(values).most_common(1)[0][0] for values in zip(*points, strict=True))


def _sizes(case: Case) -> tuple[int, ...]:
    return case.resolution, case.channels, case.batch_size, case.image_size, case.kernel_size
