"""Profiles: training runs by name, and the table of their accuracies."""

import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.cases.asked import check_asked
from benchmarks.cases.case import InvalidCase, check_value, is_own
from benchmarks.cases.groups import TRIVIAL
from benchmarks.cases.meant import unknown
from benchmarks.cases.profiles import by_usual_names, settled
from benchmarks.cases.training_run import RECIPES, TrainingRun
from benchmarks.records.record import Record


@dataclass(frozen=True)
class Profile:
    """Runs of every variant at every resolution, with seeds 0, 1, …; ``runs`` has the fields that all runs share."""

    resolutions: tuple[int, ...]
    seeds: int
    runs: dict[str, Any]


TRAINED_VARIANTS = ("plain", "full", "separable")
TRAINING_PROFILES = {
    "quick": Profile(resolutions=(2, 4, 8), seeds=3, runs={"recipe": "short", "budget": 10}),
    "standard": Profile(resolutions=(1, 4, 8, 16), seeds=5, runs={"recipe": "short", "budget": 30}),
    "paper": Profile(
        resolutions=(4, 8, 16),
        seeds=5,
        runs={"dataset": "rotated-mnist", "channels": 32, "kernel_size": 7, "recipe": "paper"},
    ),
}


def profile_runs(
    profile: str,
    *,
    variants: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    resolutions: Sequence[int] | None = None,
    seeds: int | None = None,
    **values: Any,
) -> list[TrainingRun]:
    """Return the runs of a profile, each once; all runs with one seed come before the next seed.

    Args:
        profile: a key of ``TRAINING_PROFILES``.
        variants, groups, resolutions: replace ``TRAINED_VARIANTS``, SO(2) and the profile's resolutions. Combinations
            that are not allowed are left out, but each value must be in a run.
        seeds: number of seeds; the seeds are 0, 1, ….
        values: other fields of ``TrainingRun``. None means the profile's value, or else the recipe's.

    Raises:
        InvalidCase: for an unknown profile, a value that is not allowed, or one without any allowed combination.
    """
    if profile not in TRAINING_PROFILES:
        raise InvalidCase(unknown("profile", profile, TRAINING_PROFILES))
    chosen = TRAINING_PROFILES[profile]
    seeds = chosen.seeds if seeds is None else seeds
    check_value("seeds", seeds)
    fields = chosen.runs | {name: value for name, value in values.items() if value is not None}
    if fields["recipe"] not in RECIPES:
        raise InvalidCase(unknown("recipe", fields["recipe"], RECIPES))
    if is_own(fields.get("network")):  # it has no group, and is of one variant
        variants, groups, resolutions = variants or ("custom",), groups or (TRIVIAL,), resolutions or (1,)
    lists = {"variant": variants, "group": groups, "resolution": resolutions}
    asked = by_usual_names({axis: tuple(given) for axis, given in lists.items() if given})
    for axis, given in asked.items():
        for value in given:
            check_value(axis, value)
    axes = (asked.get("group") or ("SO2",), resolutions or chosen.resolutions, variants or TRAINED_VARIANTS)
    scales = fields.get("scales")
    runs: list[TrainingRun] = []
    refused: list[tuple[dict[str, Any], InvalidCase]] = []
    for seed, group, resolution, variant in itertools.product(range(seeds), *axes):
        combination = {"scales": 1, **fields, "variant": variant, "group": group, "resolution": resolution}
        point = settled(dict(combination))
        try:
            runs.append(TrainingRun(**_with_recipe(point), seed=seed))
        except InvalidCase as reason:
            refused.append((combination, reason))
    if not runs:
        raise refused[0][1]
    check_asked({**asked, **({} if scales is None else {"scales": (scales,)})}, runs, refused)
    return list(dict.fromkeys(runs))


def _with_recipe(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields, with the recipe's values for fields that are missing."""
    recipe = RECIPES[fields["recipe"]]
    by_recipe = {"learning_rate": recipe.learning_rate(fields["variant"]), "weight_decay": recipe.weight_decay}
    if fields.get("budget_unit", "epochs") == "epochs":
        by_recipe["budget"] = recipe.epochs
    return {**by_recipe, **fields}


def accuracies(runs: Sequence[TrainingRun], records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return the test accuracies of each network by seed, fractions, and which images the network has seen."""
    results = {
        record["id"]: record
        for record in records
        if record["status"] == "ok" and record.get("test_accuracy") is not None
    }
    found: dict[tuple[str, str, int], dict[str, Any]] = {}
    for run in runs:
        axes = {"network": run.network, "variant": run.variant, "group": run.group, "resolution": run.resolution}
        network = found.setdefault(
            (run.variant, run.group, run.resolution), {**axes, "test_accuracy": {}, "images": []}
        )
        if run.id in results:
            network["test_accuracy"][run.seed] = results[run.id]["test_accuracy"]
            network["images"].append(_images_line(results[run.id].get("data") or {}))
    return list(found.values())


def accuracy_table(runs: Sequence[TrainingRun], records: Sequence[Record]) -> list[str]:
    """Write a table of the networks' mean test accuracies, each with the standard deviation over its seeds.

    The last lines name the images, because runs may have used different files under the same name.
    """
    networks = accuracies(runs, records)
    names = [network["network"] if is_own(network["network"]) else network["variant"] for network in networks]
    wide = max(10, *map(len, names)) + 2
    lines = [f"{'network':<{wide}}{'group':<10}{'|H|':>4}  {'test accuracy, %':<18}n"]
    for name, network in zip(names, networks, strict=True):
        values = [100 * accuracy for accuracy in network["test_accuracy"].values()]
        mean = f"{statistics.mean(values):5.1f}" if values else "    –"
        spread = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
        axes = f"{name:<{wide}}{network['group']:<10}{network['resolution']:>4}"
        lines.append(f"{axes}  {mean + spread:<18}{len(values)}")
    images = dict.fromkeys(line for network in networks for line in network["images"])
    lines += images
    if len(images) > 1:
        lines.append("these networks did not see the same images; give another --results to train all on one set")
    return lines


def _images_line(data: Record) -> str:
    counts = " / ".join(f"{data.get(part) or 0:,}" for part in ("train", "validation", "test"))
    return f"images: {data.get('name') or 'unknown'}, {data.get('source') or 'unknown source'}, {counts}"
