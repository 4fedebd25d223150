"""``Profile``: what was measured of one case's pass, as it is stored in ``profile.json``. Times are in seconds."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.profiling.attribution import Place
from benchmarks.statistics.intervals import Interval

SCHEMA = "gcnn-profile/1"
FILE = "profile.json"


@dataclass(frozen=True)
class Count:
    """What the calls of one operator in one module and phase of a pass compute and move.

    ``macs`` is None if an operator has no rule (``measure.executed_macs``).
    """

    phase: str
    module: str
    operator: str
    calls: int
    macs: int | None
    bytes: int

    def plus(self, macs: int | None, moved: int) -> "Count":
        """Return the count with one more call."""
        total = None if macs is None or self.macs is None else self.macs + macs
        return replace(self, calls=self.calls + 1, macs=total, bytes=self.bytes + moved)


@dataclass(frozen=True)
class Round:
    """The passes of one process.

    Args:
        plain, profiled: time of every pass without and with the profiler.
        seconds: time of a pass in each place of ``Profile.places``, see ``fastest_quarter``.
        launches, longest_gap: on CUDA, the kernels of a pass, and the longest time in it without one, seconds.
    """

    plain: tuple[float, ...]
    profiled: tuple[float, ...]
    seconds: tuple[float, ...]
    launches: float | None = None
    longest_gap: float | None = None


@dataclass(frozen=True)
class Holder:
    """The bytes of one kind that a module allocated in a phase and that exist at the peak of a pass's memory.

    ``operator`` allocated temporary memory; for other kinds it is empty.
    """

    kind: str
    phase: str
    module: str
    operator: str
    bytes: int


@dataclass(frozen=True)
class Memory:
    """The memory of a pass above the memory before it, in bytes.

    Args:
        peak: the highest total.
        recorded_peak: the peak as a sweep records it, measured in the same process.
        before: what exists before the pass: parameters, input, state of the optimiser.
        holders: what is allocated at the peak, the largest first.
        steps: the time since the beginning of the pass, and the bytes of each kind in ``measure.memory.BLOCK_KINDS``.
    """

    peak: int
    recorded_peak: int
    before: Mapping[str, int]
    holders: tuple[Holder, ...]
    steps: tuple[tuple[float, tuple[int, ...]], ...]


@dataclass(frozen=True)
class Profile:
    """The profile of one case.

    Args:
        case: the fields of the case; ``identity`` and ``label`` are those of the case too.
        places: where the time goes; ``calls`` are those of a pass in each place.
        modules: the class of each module, by the module's name.
        macs: the MACs of a pass whose layers compute directly, without fast paths; None if they were not counted.
        instructions: the instructions of a pass on the processor, without the profiler; or why they were not counted.
        ceilings: the best rates of the machine, see ``measure.roofline``.
        provenance: machine, versions and commit.
    """

    case: Mapping[str, Any]
    identity: str
    label: str
    places: tuple[Place, ...]
    calls: tuple[float, ...]
    rounds: tuple[Round, ...]
    counts: tuple[Count, ...]
    modules: Mapping[str, str]
    memory: Memory
    macs: int | None
    instructions: int | str
    ceilings: Mapping[str, float]
    provenance: Mapping[str, Any]

    @property
    def dispatched(self) -> frozenset[str]:
        """The names of the operators that torch's dispatcher hands to the device."""
        return frozenset(count.operator for count in self.counts)

    @property
    def device(self) -> str:
        """The device of the case, "cpu" or "cuda"."""
        return str(self.case["device"])


def interval_fields(interval: Interval) -> dict[str, float | None]:
    """Return an interval as JSON types: None for bounds that are not known."""
    return {name: value if math.isfinite(value) else None for name, value in interval._asdict().items()}


def write_profile(profile: Profile, folder: Path) -> Path:
    """Write a profile into a folder, and return the path of the file."""
    path = folder / FILE
    path.write_text(json.dumps({"schema": SCHEMA, **asdict(profile)}, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def read_profile(path: Path) -> Profile:
    """Read the profile of a file, or of the folder that the file is in.

    Raises:
        ValueError: when the file is no profile of this schema, or cannot be read.
    """
    path = path / FILE if path.is_dir() else path
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or content.pop("schema", None) != SCHEMA:
            raise ValueError(f"its schema is not {SCHEMA}")
        memory = content["memory"]
        return Profile(
            **{
                **content,
                "places": tuple(Place(**{**each, "path": tuple(each["path"])}) for each in content["places"]),
                "calls": tuple(content["calls"]),
                "rounds": tuple(Round(**_tuples(each)) for each in content["rounds"]),
                "counts": tuple(Count(**each) for each in content["counts"]),
                "memory": Memory(
                    **{
                        **memory,
                        "holders": tuple(Holder(**each) for each in memory["holders"]),
                        "steps": tuple((at, tuple(sizes)) for at, sizes in memory["steps"]),
                    }
                ),
            }
        )
    except (OSError, ValueError, TypeError, KeyError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ValueError(f"{path} is no profile: {why}; allowed: a {FILE} that this command wrote") from error


def _tuples(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}


Costs = Mapping[Place, tuple[float, float]]


def fastest_quarter(passes: Sequence[Costs]) -> dict[Place, tuple[float, float]]:
    """Return the mean seconds and calls of each place over the fastest quarter of the passes.

    A profile asks where the work is. On a machine with other work, most passes wait for a core once or more, wherever
    the waiting falls: next to seven other processes on two cores, passes of 2.8 ms had a median of 7.5 ms. Means of
    whole passes add up, whereas medians of places do not add up to a pass.
    """
    ranked = sorted(passes, key=lambda costs: sum(seconds for seconds, _ in costs.values()))
    kept = ranked[: math.ceil(len(ranked) / 4)]
    total: dict[Place, tuple[float, float]] = {}
    for costs in kept:
        for place, (seconds, calls) in costs.items():
            before = total.get(place, (0.0, 0.0))
            total[place] = before[0] + seconds, before[1] + calls
    return {place: (seconds / len(kept), calls / len(kept)) for place, (seconds, calls) in total.items()}


def fastest_mean(samples: Sequence[float]) -> float:
    """Return the mean of the fastest quarter of some samples, as ``fastest_quarter`` does for places."""
    kept = sorted(samples)[: math.ceil(len(samples) / 4)]
    return sum(kept) / len(kept)
