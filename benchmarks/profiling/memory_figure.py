"""The memory over a pass as an SVG: what kind of blocks are allocated when, and what holds the memory at the peak."""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import accumulate

from benchmarks.profiling.profile import Holder, Memory, Profile
from benchmarks.profiling.svg import WIDTH, svg

HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 560, 80, 570, 78, 44
MIB = 2**20
# The kinds of ``measure.memory.BLOCK_KINDS`` in order: what a reader calls them, and their fills.
KINDS = {
    "parameters": ("gradients of parameters", "#b39ddb"),
    "kernels": ("generated kernels", "#97cf95"),
    "activations": ("saved for backward", "#8fbce6"),
    "workspace": ("temporary or output", "#f2a971"),
}
# The holders that are named beside the figure: at most so many, and none that is a smaller share of the peak.
NAMED, SMALLEST = 14, 0.005
# The longest text of a holder in the figure, in characters.
LONGEST = 80
# Kinds that are lower than this everywhere, in pixels, are not drawn, and have no entry in the legend.
LOWEST = 0.6


def holder_text(holder: Holder) -> str:
    """Return a holder in words.

    >>> holder_text(Holder("activations", "forward", "norm", "", 8))
    'saved for backward, norm, forward'
    """
    return ", ".join(
        filter(None, [KINDS[holder.kind][0], holder.operator, holder.module or "the module itself", holder.phase])
    )


def by_kind(memory: Memory) -> dict[str, int]:
    """Return the bytes of each kind at the peak, the largest first."""
    sizes = {kind: sum(each.bytes for each in memory.holders if each.kind == kind) for kind in KINDS}
    return dict(sorted(sizes.items(), key=lambda item: -item[1]))


def memory_svg(profile: Profile) -> str:
    """Return the figure of a profile's memory, which needs no script and no network."""
    memory = profile.memory
    before = ", ".join(f"{name} {size / MIB:.2f} MiB" for name, size in memory.before.items() if size)
    subtitle = f"memory of one pass above the memory before it ({before}); peak {memory.peak / MIB:.2f} MiB"
    elements = [*_areas(memory), *_holders(memory)]
    return svg(profile.label, subtitle, HEIGHT, elements, f"{profile.label}: memory")


def stacked(steps: Sequence[tuple[float, Sequence[int]]]) -> list[list[int]]:
    """Return the running sums of the kinds at each step, from 0 to the total; negative sizes count as none."""
    return [list(accumulate((max(size, 0) for size in sizes), initial=0)) for _, sizes in steps]


def _areas(memory: Memory) -> Iterator[str]:
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    end = max((at for at, _ in memory.steps), default=1.0) or 1.0
    top = memory.peak * 1.06 or 1

    def x(at: float) -> float:
        return LEFT + wide * max(at, 0.0) / end

    def y(size: float) -> float:
        return TOP + high * (1 - size / top)

    sums, times = stacked(memory.steps), [x(at) for at, _ in memory.steps]
    left = LEFT
    for number, (text, fill) in enumerate(KINDS.values()):
        if all(y(each[number]) - y(each[number + 1]) < LOWEST for each in sums):
            continue
        upper, lower = (_staircase(times, [y(each[edge]) for each in sums]) for edge in (number + 1, number))
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in [*upper, *reversed(lower)])
        yield f'<polygon points="{points}" fill="{fill}"><title>{text}</title></polygon>'
        yield f'<rect x="{left}" y="54" width="14" height="14" fill="{fill}"/>'
        yield f'<text x="{left + 20}" y="65">{text}</text>'
        left += 210
    for share in range(5):
        size = memory.peak * share / 4
        yield f'<line x1="{LEFT}" x2="{LEFT + wide}" y1="{y(size):.1f}" y2="{y(size):.1f}" stroke="#00000022"/>'
        yield f'<text x="{LEFT - 6}" y="{y(size) + 4:.1f}" text-anchor="end">{size / MIB:.2f}</text>'
    totals = [each[-1] for each in sums]
    if totals:
        at = times[totals.index(max(totals))]
        yield f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{TOP + high}" stroke="#444" stroke-dasharray="4 3"/>'
        anchor = "end" if at > LEFT + wide - 60 else "start"
        yield f'<text x="{at + (4 if anchor == "start" else -4):.1f}" y="{TOP + 10}" text-anchor="{anchor}">peak</text>'
    yield f'<text x="{LEFT}" y="{HEIGHT - 14}">0</text>'
    yield f'<text x="{LEFT + wide}" y="{HEIGHT - 14}" text-anchor="end">{1e3 * end:.2f} ms, with the profiler</text>'
    yield f'<text x="{LEFT - 6}" y="{TOP - 8}" text-anchor="end">MiB</text>'


def _staircase(times: Sequence[float], heights: Sequence[float]) -> list[tuple[float, float]]:
    """Return the corners of a line that keeps its height until the next time."""
    corners = []
    for index, (at, height) in enumerate(zip(times, heights, strict=True)):
        if index:
            corners.append((at, heights[index - 1]))
        corners.append((at, height))
    return corners


def _holders(memory: Memory) -> Iterator[str]:
    left, y = WIDTH - RIGHT + 30, TOP + 4
    yield f'<text x="{left}" y="{y}" font-weight="bold">what holds the memory at the peak</text>'
    named = [each for each in memory.holders[:NAMED] if each.bytes >= SMALLEST * memory.peak]
    for holder in named:
        y += 30
        width = 500 * max(holder.bytes, 0) / (memory.peak or 1)
        text = f"{holder.bytes / MIB:.2f} MiB {holder_text(holder)}"
        text = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
        yield f'<text x="{left}" y="{y}">{escape(text)}<title>{escape(holder_text(holder))}</title></text>'
        yield f'<rect x="{left}" y="{y + 4}" width="{width:.1f}" height="8" fill="{KINDS[holder.kind][1]}"/>'
    if rest := memory.holders[len(named) :]:
        size = sum(each.bytes for each in rest) / MIB
        yield f'<text x="{left}" y="{y + 30}">{size:.2f} MiB in {len(rest)} more</text>'
