"""Profiles: named sets of cases, and the grids that they consist of."""

import dataclasses
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.cases.asked import check_asked
from benchmarks.cases.base_point import PASSES, equal_maps
from benchmarks.cases.case import CHOICES, Case, InvalidCase, check_value, is_own
from benchmarks.cases.cores import available_cores
from benchmarks.cases.groups import SUBGROUPS, TRIVIAL, group_named
from benchmarks.cases.meant import remedy, unknown
from benchmarks.cases.variants import BASIC, FACTORED, TURNED

# A grid is the cross product of the values on its axes, without the combinations that no case allows (a lifting
# network, cached kernels in training). A missing axis has the default of ``Case``.
Grid = Mapping[str, tuple[str | int, ...]]

# The axes that ``equal_maps`` depends on.
BASE_AXES = frozenset(("implementation", "variant", "group", "resolution", "scales", "channels", "direction"))
_CONV: Grid = {"layer": ("conv",), "variant": BASIC, "direction": PASSES}
_RESNET: Grid = {
    "layer": ("resnet",),
    "variant": ("plain", "full", "separable"),
    "batch_size": (64,),
    "image_size": (16,),
    "channels": (8,),
    "direction": PASSES,
}
_SIM2: Grid = {
    **_CONV,
    "variant": ("lifting", "full", "separable", *FACTORED, "separable2d"),
    "group": ("SO2xRPlus",),
    "scales": (2,),
}

# One axis at a time around a base point, and the networks of the quick training study. The profile takes 5 minutes.
_QUICK: tuple[Grid, ...] = (
    {**_CONV, "resolution": (2, 4, 8, 16)},
    {**_CONV, "channels": (8, 16, 32)},
    {**_CONV, "batch_size": (1, 16, 64)},
    {**_RESNET, "resolution": (2, 4, 8)},
)

# Pairs of axes around the base point, and every other axis at a few points. The profile takes an hour.
_STANDARD: tuple[Grid, ...] = (
    {**_CONV, "resolution": (4, 8, 16), "kernel_size": (5, 7)},
    {**_CONV, "resolution": (4, 8, 16), "batch_size": (1, 16, 64)},
    {**_CONV, "channels": (8, 16, 32)},
    {**_CONV, "image_size": (14, 28, 56)},
    {**_CONV, "variant": (*BASIC, *FACTORED), "direction": CHOICES["direction"]},
    {**_CONV, "implementation": ("torch",), "variant": ("lifting", "full", "separable")},
    {**_CONV, "direction": ("forward",), "kernels": ("generated",), "batch_size": (1, 16, 64)},
    {**_SIM2, "resolution": (8,)},
    {**_CONV, "group": ("O2",), "resolution": (8,)},
    {**_CONV, "group": ("RPlus",), "resolution": (4,)},
    {**_RESNET, "resolution": (4, 8, 16)},
    {**_RESNET, "variant": TURNED, "resolution": (8,)},
    {**_RESNET, "channels": (16,), "resolution": (4, 8), "direction": ("forward", "training_step")},
)
_ONE_THREAD: Grid = {**_CONV, "batch_size": (1, 16), "threads": (1,)}
_COMPILED: Grid = {**_CONV, "variant": ("plain", "full", "separable"), "execution": ("compiled",)}
_COMPILED_RESNET: Grid = {**_RESNET, "resolution": (8,), "execution": ("compiled",)}
_GRAPHED: Grid = {**_COMPILED, "execution": ("graphed",), "direction": CHOICES["direction"]}
_HALF: Grid = {**_CONV, "dtype": ("bfloat16",)}
_ON_CPUS: tuple[Grid, ...] = (_ONE_THREAD, _COMPILED, _COMPILED_RESNET, _HALF)

# Cross products. The profile takes a day or more.
_FULL: tuple[Grid, ...] = (
    *_STANDARD,
    {
        **_CONV,
        "resolution": (1, 2, 4, 8, 16, 32),
        "channels": (8, 16, 32, 64),
        "batch_size": (1, 16, 64),
        "image_size": (14, 28, 56),
        "kernel_size": (3, 5, 7),
    },
    {**_SIM2, "resolution": (4, 8, 16), "scales": (2, 4), "direction": CHOICES["direction"]},
    {**_CONV, "group": ("O2", "RPlus"), "resolution": (2, 4, 8, 16)},
    {**_CONV, "variant": (*BASIC, *FACTORED), "resolution": (4, 8, 16), "kernels": CHOICES["kernels"]},
    {
        **_RESNET,
        "resolution": (1, 2, 4, 8, 16),
        "channels": (8, 16, 32),
        "image_size": (16, 28, 56),
        "kernel_size": (3, 5, 7),
        "direction": CHOICES["direction"],
    },
)

# A GPU needs wider layers than a processor to be busy, and has more number formats.
_CUDA: Grid = {**_CONV, "channels": (64,), "batch_size": (64,)}
# Every process opens CUDA anew, which takes seconds, so the profile has few blocks: with five rounds 50 processes.
_CUDA_QUICK: tuple[Grid, ...] = ({**_CUDA, "resolution": (8, 16)}, {**_RESNET, "resolution": (8,)})
_CUDA_STANDARD: tuple[Grid, ...] = (
    *_STANDARD,
    {**_CUDA, "resolution": (4, 8, 16), "channels": (32, 64, 128), "kernel_size": (5, 7)},
    {**_CUDA, "resolution": (8,), "batch_size": (64, 256), "direction": CHOICES["direction"]},
    {**_CUDA, "dtype": CHOICES["dtype"]},
    {**_COMPILED, "channels": (16, 64), "batch_size": (64,)},
    {**_GRAPHED, "channels": (16, 64), "batch_size": (1, 64)},
    {**_RESNET, "resolution": (4, 8, 16), "channels": (32,), "image_size": (28,), "dtype": CHOICES["dtype"]},
)

PROFILES: dict[str, dict[str, tuple[Grid, ...]]] = {
    "quick": {"cpu": _QUICK, "cuda": _CUDA_QUICK},
    "standard": {"cpu": (*_STANDARD, *_ON_CPUS), "cuda": _CUDA_STANDARD},
    "full": {"cpu": (*_FULL, *_ON_CPUS), "cuda": (*_FULL, *_CUDA_STANDARD)},
}


def expand(grid: Grid) -> list[Case]:
    """Return the cases of a grid, each once; combinations that no case allows are left out.

    An axis on which the other axes allow one value only (the group for plain, the scales for RPlus) gets this value.

    Raises:
        InvalidCase: for a value that is not allowed on its axis.
    """
    return _cases_and_reasons([grid])[0]


def _cases_and_reasons(grids: Iterable[Grid]) -> tuple[list[Case], list[tuple[Mapping[str, Any], InvalidCase]]]:
    """Return the distinct cases of some grids; and the other combinations, each with why it is no case."""
    cases: dict[Case, None] = {}
    reasons = []
    for grid in grids:
        for axis, values in grid.items():
            for value in values:
                check_value(axis, value)
        for values in itertools.product(*grid.values()):
            combination: Mapping[str, Any] = dict(zip(grid, values, strict=True))
            try:
                cases[Case(**settled(dict(combination)))] = None
            except InvalidCase as reason:
                reasons.append((combination, reason))
    return list(cases), reasons


def asked_cases(grids: Iterable[Grid], asked: Grid, selecting: Grid | None = None) -> list[Case]:
    """Return the distinct cases of some grids, with the values that a user asked for in place of the grids' own.

    ``selecting`` are values that were asked for, too, and by which the grids were selected.

    Raises:
        InvalidCase: for a value that is not allowed, or that is in no case.

    Warns:
        LeftOut: for groups and values of |H| that do not go together, where both are in other cases.
    """
    asked = by_usual_names(asked)
    cases, reasons = _cases_and_reasons({**grid, **asked} for grid in grids)
    if not cases:
        raise InvalidCase(f"no case is left: {reasons[0][1]}" if reasons else "no case is left; give other values")
    check_asked({**asked, **(selecting or {})}, cases, reasons)
    return cases


def by_usual_names(values: Grid) -> Grid:
    """Return the values with the groups under the names that cases have."""
    return {
        axis: tuple(group_named(str(name)) for name in names) if axis == "group" else tuple(names)
        for axis, names in values.items()
    }


def settled(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields; a field for which the others allow only one value is set to this value."""
    if is_own(fields.get("implementation")):
        fields |= {"variant": "custom"}
    if fields.get("layer") == "network":
        fields |= {"group": TRIVIAL}
    if fields.get("variant") == "plain":
        fields |= {"group": TRIVIAL}
        fields.pop("kernels", None)
    if fields.get("group") == TRIVIAL:
        fields |= {"resolution": 1}
    subgroup, resolution = SUBGROUPS[fields.get("group", Case.group)], fields.get("resolution", Case.resolution)
    if subgroup.scales != "some":
        fields |= {"scales": subgroup.allowed_scales(resolution)[0]}
    return fields


def profile_cases(
    profile: str, *, devices: Sequence[str] = ("cpu",), **values: tuple[str | int, ...] | None
) -> list[Case]:
    """Return the cases of a profile, each once, in a fixed order.

    Args:
        profile: a key of ``PROFILES``.
        devices: the devices, if ``values`` has none.
        values: by axis of ``Case``, the values that replace the profile's own; None keeps the profile's own. But
            ``layer`` selects the profile's grids with these layers (for "allcnnc" those with "resnet"), and ``device``
            the profile's sets of grids for these devices. If neither ``values`` nor a grid has ``threads``, all
            available cores are used.

    Where nothing is asked for that a profile's base point consists of, there are also the plain convolutions of
    ``equal_maps``.

    Raises:
        InvalidCase: for an unknown profile, a value that is not allowed, or one that is in no case.
    """
    if profile not in PROFILES:
        raise InvalidCase(unknown("profile", profile, PROFILES))
    given = {axis: value for axis, value in values.items() if value is not None}
    selecting: dict[str, tuple[str | int, ...]] = {
        axis: given.pop(axis) for axis in ("layer", "device") if axis in given
    }
    for axis, chosen in selecting.items():
        for value in chosen:
            check_value(axis, value)
    layers = selecting.get("layer", CHOICES["layer"])
    grids = [
        {"threads": (available_cores(),), **grid, "layer": (layer,), "device": (device,)}
        for device in selecting.get("device", devices)
        for grid in PROFILES[profile][str(device)]
        for layer in layers
        if layer in grid["layer"] or (layer == "allcnnc" and "resnet" in grid["layer"] and "layer" in selecting)
    ]
    cases = asked_cases(grids, given, selecting)
    if given.keys() & BASE_AXES:
        return cases
    by_device = [[case for case in cases if case.device == device] for device in dict.fromkeys(c.device for c in cases)]
    return list(dict.fromkeys(case for here in by_device for case in (*here, *equal_maps(here))))


def base_cases(layer: str, asked: Grid) -> list[Case]:
    """Return the cases of a layer, "conv", "resnet" or "allcnnc", at the base point, with the values asked for.

    Raises:
        InvalidCase: for a value that is not allowed, or that is in no case.
    """
    sizes = {} if layer == "conv" else {axis: _RESNET[axis] for axis in ("batch_size", "image_size", "channels")}
    base: Grid = {"threads": (available_cores(),), **sizes, "layer": (layer,)}
    return asked_cases([base], asked)


def own_layer_cases(cases: Iterable[Case], implementation: str) -> list[Case]:
    """Return the cases of a user's layer: one for each shape, group and pass of the layers with a group in ``cases``.

    Raises:
        InvalidCase: when ``implementation`` is not "package.module:Class", or ``cases`` have no layer with a group.
    """
    if not is_own(implementation):
        raise InvalidCase(f"layer {implementation!r} is no class; {remedy(implementation, ['package.module:Class'])}")
    ours = (case for case in cases if case.layer == "conv" and case.group != TRIVIAL)
    own = (dataclasses.replace(case, implementation=implementation, variant="custom") for case in ours)
    if not (found := list(dict.fromkeys(own))):
        raise InvalidCase(f"no case is left for layer {implementation!r}; allowed: values that leave conv with a group")
    return found


def own_network_cases(cases: Iterable[Case], implementation: str) -> list[Case]:
    """Return the cases of a user's network: one for each size and pass of the paper's networks in ``cases``.

    The kernel size says nothing of it; the case has the first, so that it is measured beside the others.

    Raises:
        InvalidCase: when ``implementation`` is not "package.module:factory", or ``cases`` have no network.
    """
    if not is_own(implementation):
        there = remedy(implementation, ["package.module:factory"])
        raise InvalidCase(f"network {implementation!r} is no function; {there}")
    networks = [case for case in cases if case.is_network and not case.own]
    if not networks:
        raise InvalidCase(f"no case is left for network {implementation!r}; allowed: values that leave a network")
    same: dict[str, Any] = {"group": TRIVIAL, "resolution": 1, "scales": 1, "kernels": ""}
    same["kernel_size"] = networks[0].kernel_size
    own = (
        dataclasses.replace(case, layer="network", implementation=implementation, variant="custom", **same)
        for case in networks
    )
    return list(dict.fromkeys(own))
