"""A small study with made-up widths, times and records."""

from collections.abc import Callable
from dataclasses import replace

from benchmarks.records.record import Record
from benchmarks.studies.catalogue import STUDIES
from benchmarks.studies.contenders import Contender
from benchmarks.studies.decisions import Decisions, Width
from benchmarks.studies.results import StudyResults
from benchmarks.studies.study import Study
from tests.benchmarks.training_records import training_record

STUDY = replace(
    STUDIES["rotated-digits"]["standard"][0],
    resolutions=(1, 4, 8),
    seeds=5,
    epochs=3,
    reference=Contender("separable", "SO2", 8),
)
LAYERS = ("blocks.0.conv1", "blocks.1.skip", "last")
# Differences of accuracy between seeds, equal for all contenders: with one seed they share the images and their order.
SEEDS = (0.000, 0.004, -0.003, 0.002, -0.001)
# Further differences of accuracy, which differ between contenders.
NOISE = (0.001, -0.001, 0.000, 0.002, -0.002)

Level = Callable[[Contender], float]


def decisions_of(step_seconds: Level, study: Study = STUDY) -> Decisions:
    """Return decisions with widths of 4 and step times that grow by 0.1 % from round to round."""
    contenders = study.contenders
    widths = {(matched, contender): Width(4, 100.0, 101.0) for matched in study.matches for contender in contenders}
    steps = {
        (contender, 4): [[step_seconds(contender) * (1 + 1e-3 * number)] * 3 for number in range(5)]
        for contender in contenders
    }
    return Decisions(
        study,
        {"train": 640, "validation": 300, "test": 1000},
        widths,
        steps,
        {"device_name": "A"},
        {(contender, 4): 3e-3 for contender in contenders},
    )


def results_of(
    accuracy: Level,
    step_seconds: Level = lambda contender: 0.01,
    redundancy: tuple[float, float] = (0.9, 0.8),
    study: Study = STUDY,
) -> StudyResults:
    """Return results with these accuracies, plus a little noise, and this ``redundancy`` before and after training."""
    decisions = decisions_of(step_seconds, study)
    records: list[Record] = []
    for number, (matched, contender) in enumerate(decisions.widths):
        for seed, run in enumerate(decisions.runs(matched, contender)):
            level = accuracy(contender) + SEEDS[seed] + NOISE[(seed + number) % len(NOISE)]
            made = training_record([0.1, level - 0.2, level - 0.1, level], seed=seed, test_accuracy=level)
            for entry, value in ((made["epochs"][0], redundancy[0]), (made["epochs"][-1], redundancy[1])):
                noisy = value + NOISE[seed]
                entry["redundancy"] = {
                    name: {"gseparable": 1.0 if "skip" in name else noisy, "separable": noisy / 2} for name in LAYERS
                }
            records.append({**made, "id": run.id, "run": run.fields()})
    return StudyResults.of(decisions, records)
