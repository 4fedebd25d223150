"""Which candidates an answer may compare: those of one machine, of the same images, and in one setting of inference."""

import math
from collections import Counter
from collections.abc import Collection, Sequence
from typing import NamedTuple

from benchmarks.answers.candidates import Candidate, Setting
from benchmarks.cases.case import InvalidCase
from benchmarks.cases.groups import GROUP_BY_NAME, SUBGROUPS, group_named
from benchmarks.cases.meant import remedy, unknown
from benchmarks.cases.variants import VARIANTS
from benchmarks.records.record import Machine, machine_text
from benchmarks.statistics.written import listing, plural, some_of

# The most groups of candidates that are left out by name, and the others are counted.
MOST_NAMED = 5


class Group(NamedTuple):
    """What candidates share that may be compared, besides the device and the data set."""

    machine: Machine
    limit: int | None  # most images in each part
    train_limit: int | None
    data_seed: int

    @property
    def limits(self) -> list[str]:
        """The limits of the numbers of images, in words."""
        limits = [] if self.limit is None else [f"at most {self.limit} images in each part"]
        return limits + ([] if self.train_limit is None else [f"{self.train_limit} train images"])


def choose(
    found: Sequence[Candidate], device: str, dataset: str | None, train_limit: int | None = None
) -> tuple[list[Candidate], str]:
    """Return candidates whose accuracies and times may be compared, and a line that describes them.

    They are the largest group that shares the device, the data set with the choice of its images, and the machine;
    with ``train_limit`` the largest of those trained on so many images, not on fewer.

    Raises:
        InvalidCase: when no candidate is left, or when there are several data sets and ``dataset`` is None.
    """
    here = [candidate for candidate in found if candidate.configuration["device"] == device]
    datasets = sorted({str(candidate.configuration["dataset"]) for candidate in here})
    if not datasets:
        devices = sorted({str(candidate.configuration["device"]) for candidate in found})
        there = remedy(device, devices) if devices else "see python -m benchmarks train"
        raise InvalidCase(f"the results have no network trained on device {device!r}; {there}")
    if dataset is None and len(datasets) > 1:
        raise InvalidCase(f"the results are for several data sets; give --dataset, allowed: {', '.join(datasets)}")
    dataset = dataset or datasets[0]
    if dataset not in datasets:
        raise InvalidCase(f"no results for dataset {dataset!r}; {remedy(dataset, datasets)}")
    groups: dict[Group, list[Candidate]] = {}
    for candidate in here:
        key = candidate.configuration
        if key["dataset"] == dataset:
            group = Group(key.machine, key.get("limit"), key.get("train_limit"), key.get("data_seed", 0))
            groups.setdefault(group, []).append(candidate)
    asked = [group for group in groups if train_limit in (None, group.train_limit)]
    if not asked:
        sizes = sorted({group.train_limit for group in groups if group.train_limit is not None})
        there = ", ".join(map(str, sizes)) or "none, because all networks were trained on all images"
        raise InvalidCase(f"no results for --train-limit {train_limit}; allowed: {there}")

    def size(group: Group) -> tuple[int, float]:  # of equal groups, the most train images
        return len(groups[group]), math.inf if group.train_limit is None else group.train_limit

    chosen = max(asked, key=size)
    images = f" ({', '.join(chosen.limits)})" if chosen.limits else ""
    remark = f"{plural(len(groups[chosen]), 'configuration')} on {dataset}{images}, {machine_text(chosen.machine)}"
    return groups[chosen], remark + _left_out(chosen, groups)


def _left_out(chosen: Group, groups: dict[Group, list[Candidate]]) -> str:
    """Say how many candidates of the other groups are left out, and how these differ from the chosen group."""
    machines = Counter({group.machine: 0 for group in groups})
    others = [group for group in groups if group.machine == chosen.machine and group != chosen]
    for group, found in groups.items():
        machines[group.machine] += len(found)
    parts = []
    if others:
        images = some_of([_images(group, chosen, groups) for group in others], MOST_NAMED)
        sizes = [str(group.train_limit) for group in others if group.train_limit not in (None, chosen.train_limit)]
        option = f": --train-limit {', '.join(sizes)}" if sizes else ""
        parts.append(f"{sum(len(groups[group]) for group in others)} trained on other images ({images}{option})")
    parts += [
        f"{n} on another machine ({machine_text(machine)})"
        for machine, n in machines.items()
        if machine != chosen.machine
    ]
    return f"; left out: {some_of(parts, MOST_NAMED)}" if parts else ""


def _images(group: Group, chosen: Group, groups: dict[Group, list[Candidate]]) -> str:
    """Write how the images of a group differ from those of the chosen group on the same machine."""
    sizes, other = (sorted({c.configuration["image_size"] for c in groups[each]}) for each in (group, chosen))
    parts = [f"{size} × {size}" for size in sizes] if sizes != other else []
    parts += group.limits or ["all images"]
    return listing(parts + ([f"data seed {group.data_seed}"] if group.data_seed != chosen.data_seed else []))


def only(
    found: Sequence[Candidate], groups: Collection[str] = (), variants: Collection[str] = ()
) -> tuple[list[Candidate], str]:
    """Return the candidates of some groups and variants, and words about their number; all of them without a choice.

    Raises:
        InvalidCase: for a name that no candidate has, or if no candidate has a group and a variant that were asked for.
    """
    wanted = {"group": [group_named(name) for name in groups], "variant": list(variants)}
    allowed: dict[str, Collection[str]] = {"group": SUBGROUPS, "variant": VARIANTS}
    kept = list(found)
    for field, names in wanted.items():
        there = sorted({str(candidate.configuration[field]) for candidate in found})
        for name in names:
            if name not in there:
                if name not in allowed[field]:
                    formulas = {formula: group for formula, group in GROUP_BY_NAME.items() if group in there}
                    raise InvalidCase(unknown(field, name, there, formulas if field == "group" else None))
                raise InvalidCase(f"no results for {field} {name!r}; allowed: {', '.join(there)}")
        kept = [candidate for candidate in kept if not names or candidate.configuration[field] in names]
    asked = [f"{field} {', '.join(names)}" for field, names in wanted.items() if names]
    if not kept:
        raise InvalidCase(f"no results for {' and '.join(asked)}; allowed: without one of them")
    return kept, f"; of these, the {len(kept)} of {' and '.join(asked)}" if asked else ""


def chosen_setting(
    found: Sequence[Candidate], batch_size: int | None = None, threads: int | None = None
) -> Setting | None:
    """Return the setting of inference in which most candidates were timed; None if none was timed as asked.

    Of settings with equally many candidates it is the one with the largest batch, then with the most threads.
    """
    counts = {
        setting: n
        for setting, n in _settings(found).items()
        if batch_size in (None, setting.batch_size) and (setting.threads is None or threads in (None, setting.threads))
    }
    return max(counts, key=lambda setting: (counts[setting], setting), default=None)


def setting_remark(found: Sequence[Candidate], batch_size: int | None = None, threads: int | None = None) -> str:
    """Say which setting of inference is used, and which others there are; empty if there is no choice."""
    counts, chosen = _settings(found), chosen_setting(found, batch_size, threads)
    others = [setting for setting in sorted(counts) if setting != chosen]
    if not others:
        return ""
    varies = {name for name in ("batch_size", "threads") if len({getattr(each, name) for each in counts}) > 1}

    def options(setting: Setting) -> str:
        parts = [f"--{name.replace('_', '-')} {getattr(setting, name)}" for name in setting._fields if name in varies]
        return f"{' '.join(parts)}: " if parts else ""

    def timed(setting: Setting) -> str:
        return f"{setting.text} ({plural(counts[setting], 'network')})"

    asked = [f"{name} {value}" for name, value in (("batch", batch_size), ("threads", threads)) if value is not None]
    first = f"inference at {timed(chosen)}" if chosen else f"no inference was timed at {', '.join(asked)}"
    return "; ".join([first, *(f"{options(setting)}{timed(setting)}" for setting in others)])


def setting_options(setting: Setting | None, batch_size: int | None = None, threads: int | None = None) -> str:
    """Write the options of a sweep that times the inference in a setting; without one that of a single image."""
    if setting is not None:
        batch_size, threads = setting
    given = f" --threads {threads}" if threads is not None else ""
    return f"--batch-size {1 if batch_size is None else batch_size}{given}"


def _settings(found: Sequence[Candidate]) -> Counter[Setting]:
    """Return how many candidates were timed in each setting."""
    return Counter(setting for candidate in found for setting in candidate.timed)
