"""The learning rate of each contender: as many rates, epochs and seeds for one as for another, on validation images.

The records of a search are kept beside those of the study, in a store of their own: its seeds are none of the study's,
and its runs are shorter.
"""

import statistics
from collections.abc import Mapping, Sequence

from benchmarks.records import Record
from benchmarks.runs import TrainingRun
from benchmarks.studies.study import Contender, Study
from benchmarks.text import columns

# The folder of the search's store, in that of the results.
FOLDER = "search"


def search_runs(study: Study, channels: Mapping[Contender, int]) -> dict[tuple[Contender, float], list[TrainingRun]]:
    """The runs of every contender at every rate, one for each search seed.

    Args:
        study: what is compared.
        channels: the width of each contender.
    """
    return {
        (contender, rate): [
            study.run(contender, channels[contender], budget=study.search_epochs, learning_rate=rate, seed=seed)
            for seed in study.search_seeds
        ]
        for contender in study.contenders
        for rate in study.search_rates
    }


def rate_scores(
    runs: Mapping[tuple[Contender, float], Sequence[TrainingRun]], records: Sequence[Record]
) -> dict[tuple[Contender, float], float]:
    """The best validation accuracy of a run, averaged over seeds; what failed, diverged runs above all, has none: 0.

    Raises:
        KeyError: for a run without a record.
    """
    newest = {record["id"]: record for record in records}
    return {key: statistics.mean(_best(newest[run.id]) for run in each) for key, each in runs.items()}


def best_rates(scores: Mapping[tuple[Contender, float], float]) -> dict[Contender, float]:
    """The rate with the best score; of equal ones the lowest."""
    found: dict[Contender, float] = {}
    for contender, rate in sorted(scores, key=lambda key: key[1]):
        if contender not in found or scores[contender, rate] > scores[contender, found[contender]]:
            found[contender] = rate
    return found


def search_lines(study: Study, scores: Mapping[tuple[Contender, float], float]) -> list[str]:
    """The table of all scores, in %, and the rates that were chosen."""
    chosen = best_rates(scores)
    seeds = ", ".join(map(str, study.search_seeds))
    rows = [("", *(f"{rate:g}" for rate in study.search_rates), "chosen")]
    for contender in study.contenders:
        cells = [f"{100 * scores[contender, rate]:.1f}" for rate in study.search_rates]
        edge = "" if len(study.search_rates) < 3 or chosen[contender] in sorted(study.search_rates)[1:-1] else " (edge)"
        rows.append((contender.label, *cells, f"{chosen[contender]:g}{edge}"))
    title = (
        f"best validation accuracy, %, by learning rate; {study.search_epochs} epochs, seed {seeds}, "
        f"width matched by {study.matches[0]}"
    )
    return [title, *columns(rows)]


def _best(record: Record) -> float:
    if record["status"] != "ok":
        return 0.0
    return max(float(epoch["validation_accuracy"]) for epoch in record["epochs"][1:])
