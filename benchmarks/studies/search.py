"""The learning rate of each network: as many rates, epochs and seeds for one as for another, on validation images.

The records of a search are kept beside those of the study, in a store of their own: its seeds are none of the study's,
and its runs are shorter.
"""

import statistics
from collections.abc import Mapping, Sequence

from benchmarks.answers.text_tables import columns
from benchmarks.cases.training_run import TrainingRun
from benchmarks.records.record import Record
from benchmarks.studies.study import Network, Study

# The folder of the search's store, in that of the results.
FOLDER = "search"


def search_runs(study: Study, networks: Sequence[Network]) -> dict[tuple[Network, float], list[TrainingRun]]:
    """The runs of every network at every rate, one for each search seed.

    Args:
        study: what is compared.
        networks: contenders with their widths.
    """
    return {
        (network, rate): [
            study.run(*network, budget=study.search_epochs, learning_rate=rate, seed=seed)
            for seed in study.search_seeds
        ]
        for network in networks
        for rate in study.search_rates
    }


def rate_scores(
    runs: Mapping[tuple[Network, float], Sequence[TrainingRun]], records: Sequence[Record]
) -> dict[tuple[Network, float], float]:
    """The best validation accuracy of a run, averaged over seeds; what failed, diverged runs above all, has none: 0.

    Raises:
        KeyError: for a run without a record.
    """
    newest = {record["id"]: record for record in records}
    return {key: statistics.mean(_best(newest[run.id]) for run in each) for key, each in runs.items()}


def best_rates(scores: Mapping[tuple[Network, float], float]) -> dict[Network, float]:
    """The rate with the best score; of equal ones the lowest.

    Raises:
        ValueError: for a network that no rate trained.
    """
    found: dict[Network, float] = {}
    for network, rate in sorted(scores, key=lambda key: key[1]):
        if network not in found or scores[network, rate] > scores[network, found[network]]:
            found[network] = rate
    lost = [contender.label for (contender, channels), rate in found.items() if not scores[(contender, channels), rate]]
    if lost:
        raise ValueError(f"no learning rate trained {', '.join(lost)}; allowed: a grid with one that does")
    return found


def search_lines(study: Study, scores: Mapping[tuple[Network, float], float]) -> list[str]:
    """The table of all scores, in %, and the rates that were chosen."""
    chosen = best_rates(scores)
    seeds = ", ".join(map(str, study.search_seeds))
    edges = {min(study.search_rates), max(study.search_rates)}
    rows = [("", "C", *(f"{rate:g}" for rate in study.search_rates), "chosen")]
    for contender, channels in dict.fromkeys(network for network, _ in scores):
        network = contender, channels
        cells = [f"{100 * scores[network, rate]:.1f}" for rate in study.search_rates]
        edge = " (edge)" if chosen[network] in edges and len(study.search_rates) > 1 else ""
        rows.append((contender.label, str(channels), *cells, f"{chosen[network]:g}{edge}"))
    title = f"best validation accuracy, %, by learning rate; {study.search_epochs} epochs, seed {seeds}"
    return [title, *columns(rows)]


def _best(record: Record) -> float:
    if record["status"] != "ok":
        return 0.0
    return max(float(epoch["validation_accuracy"]) for epoch in record["epochs"][1:])
