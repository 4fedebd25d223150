"""The runs of a study by name, and the table of their accuracies."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.cases.case import InvalidCase, check_value
from benchmarks.cases.profiles import settled
from benchmarks.cases.training_run import RECIPES, TrainingRun
from benchmarks.records.record import Record


@dataclass(frozen=True)
class Profile:
    """Every variant at every resolution, each with every seed.

    Args:
        runs: fields of ``TrainingRun`` that are the same in all of them.
    """

    resolutions: tuple[int, ...]
    seeds: int
    runs: dict[str, Any]
    variants: tuple[str, ...] = ("plain", "full", "separable")


PROFILES = {
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
    """The runs of a profile, each once; all networks with one seed come before the next seed.

    Args:
        profile: a key of ``PROFILES``.
        variants, groups, resolutions: instead of the profile's own. What makes no sense together is left out.
        seeds: how many, from 0.
        values: other fields of ``TrainingRun``; None leaves the profile's, and what neither says is the recipe's.

    Raises:
        InvalidCase: for an unknown profile, a value that is not allowed, or values that leave no run at all.
    """
    if profile not in PROFILES:
        raise InvalidCase(f"unknown profile {profile!r}; allowed: {', '.join(PROFILES)}")
    chosen = PROFILES[profile]
    seeds = chosen.seeds if seeds is None else seeds
    check_value("seeds", seeds)
    fields = chosen.runs | {name: value for name, value in values.items() if value is not None}
    if fields["recipe"] not in RECIPES:
        raise InvalidCase(f"unknown recipe {fields['recipe']!r}; allowed: {', '.join(RECIPES)}")
    for axis, given in (("variant", variants), ("group", groups), ("resolution", resolutions)):
        for value in given or ():
            check_value(axis, value)
    runs: list[TrainingRun] = []
    refused: list[InvalidCase] = []
    for seed in range(seeds):
        for group in groups or ("SO2",):
            for resolution in resolutions or chosen.resolutions:
                for variant in variants or chosen.variants:
                    point = settled(
                        {"scales": 1, **fields, "variant": variant, "group": group, "resolution": resolution}
                    )
                    try:
                        runs.append(TrainingRun(**_with_recipe(point), seed=seed))
                    except InvalidCase as reason:
                        refused.append(reason)
    if not runs:
        raise refused[0]
    return list(dict.fromkeys(runs))


def _with_recipe(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields with the recipe's values where they say nothing."""
    recipe = RECIPES[fields["recipe"]]
    by_recipe = {"learning_rate": recipe.learning_rate(fields["variant"]), "weight_decay": recipe.weight_decay}
    if fields.get("budget_unit", "epochs") == "epochs":
        by_recipe["budget"] = recipe.epochs
    return {**by_recipe, **fields}


def accuracy_table(runs: Sequence[TrainingRun], records: Sequence[Record]) -> str:
    """Test accuracy of every network: mean and sample standard deviation over its seeds, as lines of text.

    Below it stands what images they saw: a record found by its id may be of other files under the same name.
    """
    accuracies: dict[tuple[str, str, int], list[float]] = {}
    results = {record["id"]: record for record in records if record["status"] == "ok"}
    for run in runs:
        values = accuracies.setdefault((run.variant, run.group, run.resolution), [])
        if run.id in results:
            values.append(100 * results[run.id]["test_accuracy"])
    lines = [f"{'variant':<12}{'group':<10}{'|H|':>4}  {'test accuracy, %':<18}n"]
    for (variant, group, resolution), values in accuracies.items():
        mean = f"{statistics.mean(values):5.1f}" if values else "    –"
        spread = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
        lines.append(f"{variant:<12}{group:<10}{resolution:>4}  {mean + spread:<18}{len(values)}")
    seen = [results[run.id]["data"] for run in runs if run.id in results]
    images = dict.fromkeys(f"images: {data['name']}, {data['source']}, {_counts(data)}" for data in seen)
    lines += images
    if len(images) > 1:
        lines.append("these networks did not see the same images: give other --results to train all of them on one set")
    return "\n".join(lines)


def _counts(data: Record) -> str:
    return " / ".join(f"{data[part]:,}" for part in ("train", "validation", "test"))
