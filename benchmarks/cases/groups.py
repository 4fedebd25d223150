"""The subgroups H that a case may name, and the sizes of their grids; the groups themselves are in ``gcnn_impl``."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Subgroup:
    """A subgroup H of GL(2)."""

    full_group: str  # usual name of G = R² ⋊ H
    rotates: bool = False  # whether H has rotations; kernel taps outside the disc are then zero
    scales: str = "none"  # allowed numbers of scales in a grid: "none" (1), "all" (|H|), or "some" (a divisor of |H|)
    reflections: int = 1  # number of grid elements for each rotation and scale
    resolutions: tuple[int, ...] = ()  # the allowed |H| of a group of fixed size; empty if any is allowed

    def allowed_scales(self, resolution: int) -> tuple[int, ...]:
        """Return the allowed numbers of scales in a grid of resolution |H|."""
        if self.scales == "all":
            return (resolution,)
        if self.scales == "none":
            return (1,)
        return tuple(n for n in range(1, resolution + 1) if resolution % n == 0)

    def rotations(self, resolution: int, scales: int) -> int:
        """Return the number of rotations in a grid."""
        return resolution // scales // self.reflections

    def grid_sizes(self, resolution: int, scales: int) -> tuple[int, ...]:
        """Return the arguments of the group's class in ``gcnn_impl``: number of rotations, of scales, or both."""
        rotations = (self.rotations(resolution, scales),) if self.rotates else ()
        return rotations if self.scales == "none" else (*rotations, scales)


# The keys are the names of the classes in ``gcnn_impl.groups``.
SUBGROUPS = {
    "trivial": Subgroup("R²", resolutions=(1,)),
    "SO2": Subgroup("SE(2)", rotates=True),
    "O2": Subgroup("E(2)", rotates=True, reflections=2),
    "RPlus": Subgroup("R² ⋊ R⁺", scales="all"),
    "SO2xRPlus": Subgroup("Sim(2)", rotates=True, scales="some"),
}
TRIVIAL = "trivial"
GROUPS = tuple(name for name in SUBGROUPS if name != TRIVIAL)


def group_label(group: str, resolution: int, scales: int) -> str:
    """Return the name of a group with the size of its grid.

    >>> group_label("SO2xRPlus", 8, 2), group_label("O2", 8, 1)
    ('SO2xRPlus(4×2)', 'O2(8)')
    """
    both = group in SUBGROUPS and SUBGROUPS[group].scales == "some"  # records of other versions may name other groups
    return f"{group}({f'{resolution // scales}×{scales}' if both else resolution})"
