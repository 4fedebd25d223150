"""Names beside points: each where it hides no point and no other name."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.transforms import Bbox

from reports.style import INK

# The place of a name: its point in data coordinates, its text, and the gid of the drawn text.
Label = tuple[float, float, str, str]
# Points (1/72 inch) from a point to its name, and the side of the name that is nearer; the first that is free is taken.
PLACES = (
    ((5, 3), "left", "bottom"),
    ((5, -3), "left", "top"),
    ((-5, 3), "right", "bottom"),
    ((-5, -3), "right", "top"),
    ((0, 6), "center", "bottom"),
    ((0, -6), "center", "top"),
    ((8, 9), "left", "bottom"),
    ((8, -9), "left", "top"),
    ((-8, 9), "right", "bottom"),
    ((-8, -9), "right", "top"),
)
# Half the width of a point's marker, in points.
REACH = 3.2


def place(axes: Axes, labels: Sequence[Label], points: Sequence[tuple[float | None, float | None]]) -> None:
    """Write the labels beside their points; a label for which no place is free is left out, its point has a tooltip."""
    if not labels:
        return
    figure = axes.figure.get_figure(root=True)
    figure.draw_without_rendering()  # the layout, and with it where points are
    scale = figure.dpi / 72
    taken = []
    for x, y in points:
        if x is not None and y is not None:
            across, up = axes.transData.transform((x, y))
            taken.append(
                Bbox.from_extents(
                    *(at - REACH * scale for at in (across, up)), *(at + REACH * scale for at in (across, up))
                )
            )
    inside = axes.get_window_extent()
    for x, y, text, gid in labels:
        for offset, side, edge in PLACES:
            drawn = axes.annotate(
                text, (x, y), offset, textcoords="offset points", ha=side, va=edge, color=INK, zorder=5
            )
            box = drawn.get_window_extent()
            free = not any(box.overlaps(other) for other in taken)
            if free and inside.x0 <= box.x0 and box.x1 <= inside.x1 + 8 * scale and inside.y0 <= box.y0:
                drawn.set_gid(gid)
                taken.append(box)
                break
            drawn.remove()
