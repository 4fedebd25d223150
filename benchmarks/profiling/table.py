"""A profile, and the difference between two of them, as lines of text for a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.answers.text_tables import left_columns
from benchmarks.profiling.against import NOT_TOLD_APART, Difference, Part, interval_text, sentences
from benchmarks.profiling.memory_figure import KINDS, MIB, by_kind, holder_text
from benchmarks.profiling.profile import Profile
from benchmarks.profiling.rows import GAPS, Row, module_rows, operator_rows, pass_of
from benchmarks.statistics.intervals import Interval, mean_over_rounds
from benchmarks.statistics.noise import busy_text
from benchmarks.statistics.written import NOTHING, percentage

HEADER = ("self, ms", "share", "total, ms", "calls", "MACs, M", "MiB", "roof")
# The holders of memory that are named, and the characters of a name.
HOLDERS = 2
LONGEST_NAME = 50


def profile_lines(profile: Profile, top: int, record_peak: int | None) -> Iterator[str]:
    """Yield the pass, the ``top`` operators and modules, and the memory; ``record_peak`` is in bytes, None for none."""
    whole = pass_of(profile)
    rounds, passes = len(profile.rounds), sum(len(each.profiled) for each in profile.rounds)
    yield profile.label
    yield (
        f"a pass takes {_ms(whole.plain)} ms (median {1e3 * whole.plain_median:.3f}), with the profiler "
        f"{_ms(whole.profiled)} ms (median {1e3 * whole.profiled_median:.3f}): the profiler adds "
        f"{percentage(whole.overhead.value)} ({passes} passes in {rounds} processes; fastest quarter, ± 95 %)"
    )
    yield from busy_lines(profile.provenance)
    operators, modules = operator_rows(profile), module_rows(profile)
    yield from _table("operator", operators, whole.profiled.value, top)
    rest = 1 - whole.operators.value - whole.between.value
    yield (
        f"operators are {percentage(whole.operators.value)} of the profiled pass, {_between(profile)} "
        f"{percentage(whole.between.value)}; {percentage(max(rest, 0.0))} is not explained"
    )
    yield _macs_text(profile)
    if profile.device == "cuda":
        yield _launches_text(profile)
    yield from _table("module, phase", modules, whole.profiled.value, max(top // 2, 1))
    yield from _memory_lines(profile, record_peak)


def _table(heading: str, rows: Sequence[Row], whole: float, top: int) -> list[str]:
    shown = [(heading, *HEADER), *(_cells(row, whole) for row in rows[:top])]
    if rest := rows[top:]:
        seconds = sum(row.seconds.value for row in rest)
        shown.append((f"{len(rest)} more", f"{1e3 * seconds:.3f}", percentage(seconds / whole), *[""] * 5))
    return left_columns(shown)


def _cells(row: Row, whole: float) -> tuple[str, ...]:
    return (
        _short(row.text),
        _ms(row.seconds),
        percentage(row.seconds.value / whole),
        f"{1e3 * row.total:.3f}",
        f"{row.calls:g}",
        NOTHING if row.macs is None else f"{row.macs / 1e6:.2f}",
        f"{row.bytes / MIB:.2f}",
        NOTHING if row.roof is None else percentage(row.roof, 0),
    )


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _ms(seconds: Interval) -> str:
    half = 1e3 * (seconds.high - seconds.value)
    return f"{1e3 * seconds.value:.3f}" + ("" if half != half else f" ± {half:.3f}")


def busy_lines(provenance: Mapping[str, Any]) -> Iterator[str]:
    """Say so if other programs used the machine."""
    if busy := busy_text(provenance):
        yield f"{busy}: times include waiting for a core"


def _between(profile: Profile) -> str:
    return GAPS if profile.device == "cuda" else "Python and dispatch between them"


def _launches_text(profile: Profile) -> str:
    launches = mean_over_rounds([each.launches or 0.0 for each in profile.rounds])
    longest = mean_over_rounds([each.longest_gap or 0.0 for each in profile.rounds])
    return f"{launches.value:.0f} kernels are launched in a pass; the longest gap between them takes {_ms(longest)} ms"


def _macs_text(profile: Profile) -> str:
    executed = sum(count.macs or 0 for count in profile.counts)
    defined = "not counted" if profile.macs is None else f"{profile.macs / 1e6:.2f} M"
    missing = dict.fromkeys(count.operator for count in profile.counts if count.macs is None)
    without = f", without {', '.join(missing)}" if missing else ""
    found = profile.instructions
    instructions = f"{found / 1e6:.2f} M" if isinstance(found, int) else f"not available here ({found})"
    return (
        f"the operators do {executed / 1e6:.2f} M MACs{without}; the layers computed directly, without fast paths, "
        f"{defined}; "
        f"instructions {instructions}"
    )


def _memory_lines(profile: Profile, record_peak: int | None) -> Iterator[str]:
    memory = profile.memory
    known = {"the sweep's method": memory.recorded_peak} | (
        {"the record": record_peak} if record_peak is not None else {}
    )
    others = ", ".join(
        f"by {name} {size / MIB:.2f} MiB ({100 * (memory.peak / size - 1):+.2f} %)"
        for name, size in known.items()
        if size
    )
    kinds = ", ".join(f"{KINDS[kind][0]} {size / MIB:.2f}" for kind, size in by_kind(memory).items() if size)
    yield f"memory at the peak {memory.peak / MIB:.2f} MiB, {others}: {kinds}"
    for holder in memory.holders[:HOLDERS]:
        yield f"  {holder.bytes / MIB:.2f} MiB {holder_text(holder)}"


def difference_lines(found: Difference, top: int) -> Iterator[str]:
    """Yield two profiles side by side, and what the difference consists of."""
    yield f"a: {found.a}"
    yield f"b: {found.b}"
    columns = ("calls", "a, ms", "b, ms", "b less a, ms" if found.too_few_rounds else "b less a, ms [99 %]", "")
    for heading, parts in (("operator", found.operators), ("module, phase", found.modules)):
        yield from left_columns([(heading, *columns), *map(_part_cells, parts[:top])])
    yield from sentences(found)


def _part_cells(part: Part) -> tuple[str, ...]:
    interval = interval_text(part.change)
    return (
        _short(part.name),
        " → ".join(dict.fromkeys(f"{number:g}" for number in part.calls)),
        f"{1e3 * part.a:.3f}",
        f"{1e3 * part.b:.3f}",
        f"{1e3 * part.change.value:+.3f}{interval}",
        "" if part.told or not interval else NOT_TOLD_APART,
    )
