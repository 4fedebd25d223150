"""The subgroups H that a case may name, and the sizes of their grids; the groups themselves are in ``gcnn_impl``.

The resolution of a grid is |H|, the number of its elements, everywhere. A name with numbers, such as O2(4×2), has what
the elements are made of, in the order of the arguments of the class: rotations, then reflections or scales.
"""

import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True)
class Subgroup:
    """A subgroup H of GL(2)."""

    full_group: str  # usual name of G = R² ⋊ H
    rotates: bool = False  # whether H has rotations; kernel taps outside the disc are then zero
    scales: str = "none"  # allowed numbers of scales in a grid: "none" (1), "all" (|H|), or "some" (a divisor of |H|)
    reflections: int = 1  # number of grid elements for each rotation and scale
    resolutions: tuple[int, ...] = ()  # the allowed |H| of a group of fixed size; empty if any is allowed
    names: tuple[str, ...] = ()  # other names of H, of R² ⋊ H, and of both as formulas, as ``_bare`` leaves them

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
    "trivial": Subgroup("R²", resolutions=(1,), names=("e", "r2", "t2", "z2")),
    "SO2": Subgroup("SE(2)", rotates=True, names=("se2", "r2xso2", "rotations")),
    "O2": Subgroup("E(2)", rotates=True, reflections=2, names=("e2", "r2xo2")),
    "RPlus": Subgroup("R² ⋊ R⁺", scales="all", names=("r+", "r2xr+", "r2xrplus", "scales", "dilations")),
    "SO2xRPlus": Subgroup(
        "Sim(2)",
        rotates=True,
        scales="some",
        names=("sim2", "so2xr+", "r2xso2xr+", "r2xso2xrplus", "r+xso2", "rplusxso2"),
    ),
}
TRIVIAL = "trivial"
GROUPS = tuple(name for name in SUBGROUPS if name != TRIVIAL)


GROUP_BY_NAME = {name: group for group, known in SUBGROUPS.items() for name in (group.casefold(), *known.names)}


def group_named(name: str) -> str:
    """Return the key in ``SUBGROUPS`` of a group's usual name, of H or of R² ⋊ H; an unknown name stays as it is.

    >>> group_named("SE(2)"), group_named("sim(2)"), group_named("R² ⋊ R⁺"), group_named("SO(3)")
    ('SO2', 'SO2xRPlus', 'RPlus', 'SO(3)')
    """
    return GROUP_BY_NAME.get(_bare(name), name)


def _bare(name: str) -> str:
    """Return a name in lower case with plain digits, without brackets, blanks, ^ and _; × and ⋊ become x."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join({"×": "x", "⋊": "x", "*": "x"}.get(letter, letter) for letter in plain if letter not in "(){} ^_-")


def group_label(group: str, resolution: int, scales: int) -> str:
    """Return the name of a group with what the |H| elements of its grid are made of.

    >>> group_label("SO2", 8, 1), group_label("SO2xRPlus", 8, 2), group_label("O2", 8, 1)
    ('SO2(8)', 'SO2xRPlus(4×2)', 'O2(4×2)')
    """
    known = SUBGROUPS.get(group)  # records of other versions may name other groups
    factor = 1 if known is None else scales if known.scales == "some" else known.reflections
    both = known is not None and (known.scales == "some" or known.reflections > 1)
    return f"{group}({f'{resolution // factor}×{factor}' if both else resolution})"
