"""The shapes of a case's input and output, and the group of a case."""

import gcnn_impl
from benchmarks.cases.case import Case
from benchmarks.cases.groups import SUBGROUPS, TRIVIAL
from gcnn_impl import Group


def shapes(case: Case) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the shape of the input and the shape of the output."""
    batch, channels, image = case.batch_size, case.channels, (case.image_size, case.image_size)
    if case.is_network:
        return (batch, case.in_channels, *image), (batch, case.num_classes)
    grid = () if case.group == TRIVIAL else (case.resolution,)
    in_grid = () if case.variant == "lifting" else grid
    return (batch, channels, *in_grid, *image), (batch, channels, *grid, *image)


def group_of(case: Case) -> Group | None:
    """Return the subgroup H with its grid, or None for the trivial group."""
    if case.group == TRIVIAL:
        return None
    group: Group = getattr(gcnn_impl, case.group)(*SUBGROUPS[case.group].grid_sizes(case.resolution, case.scales))
    return group
