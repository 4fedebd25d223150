"""The search for each network's learning rate on the validation images, by the same rule for every network.

Every network tries the same rates with the same seeds. Where the best one is the largest or the smallest of them, a
better one may lie beyond; the network then tries the next rate, ``MOST_BEYOND`` times at most.
The records of a search have a store of their own, because its seeds are not the study's and its runs are shorter.
"""

import statistics
from collections.abc import Iterable, Mapping, Sequence

from benchmarks.answers.text_tables import columns
from benchmarks.cases.training_run import TrainingRun
from benchmarks.records.record import Record
from benchmarks.studies.study import SizedContender, Study

# Folder of the search's store, inside the folder of the results.
FOLDER = "search"
MOST_BEYOND = 3  # rates that a network tries beyond the study's


def search_runs(
    study: Study, tries: Iterable[tuple[SizedContender, float]]
) -> dict[tuple[SizedContender, float], list[TrainingRun]]:
    """Return the runs of some networks at some rates, one for each search seed."""
    return {
        (network, rate): [
            study.run(*network, budget=study.search_epochs, learning_rate=rate, seed=seed, test_angles=0)
            for seed in study.search_seeds
        ]
        for network, rate in tries
    }


def rates_beyond(scores: Mapping[tuple[SizedContender, float], float]) -> list[tuple[SizedContender, float]]:
    """Return the next rate of each network whose best rate is the largest or the smallest of several that it tried.

    Rates go on by the factor between the last two, to one digit.
    """
    found = []
    for network, best in best_rates(scores).items():
        rates = sorted(rate for other, rate in scores if other == network)
        if len(rates) < 2:
            continue
        for edge, neighbour in ((rates[0], rates[1]), (rates[-1], rates[-2])):
            if best == edge:
                found.append((network, float(f"{edge * edge / neighbour:.0e}")))
    return found


def rate_scores(
    runs: Mapping[tuple[SizedContender, float], Sequence[TrainingRun]], records: Sequence[Record]
) -> dict[tuple[SizedContender, float], float]:
    """Average the runs' best validation accuracies over seeds; a failed run, for instance a diverged one, counts as 0.

    Raises:
        KeyError: for a run without a record.
    """
    newest = {record["id"]: record for record in records}
    return {key: statistics.mean(_best(newest[run.id]) for run in each) for key, each in runs.items()}


def best_rates(scores: Mapping[tuple[SizedContender, float], float]) -> dict[SizedContender, float]:
    """Choose the rate with the best score for each network; of equally good rates the lowest.

    Raises:
        ValueError: for a network whose runs failed at every rate.
    """
    found: dict[SizedContender, float] = {}
    for network, rate in sorted(scores, key=lambda key: key[1]):
        if network not in found or scores[network, rate] > scores[network, found[network]]:
            found[network] = rate
    lost = [contender.label for (contender, channels), rate in found.items() if not scores[(contender, channels), rate]]
    if lost:
        raise ValueError(f"no learning rate trained {', '.join(lost)}; allowed: rates that include one that does")
    return found


def search_lines(study: Study, scores: Mapping[tuple[SizedContender, float], float]) -> list[str]:
    """Return the table of all scores, in %, and of the chosen rates."""
    chosen = best_rates(scores)
    seeds = ", ".join(map(str, study.search_seeds))
    rates, beyond = sorted({rate for _, rate in scores}), {network for network, _ in rates_beyond(scores)}
    rows = [("", "C", *(f"{rate:g}" for rate in rates), "chosen")]
    for contender, channels in dict.fromkeys(network for network, _ in scores):
        network = contender, channels
        cells = [f"{100 * scores[network, rate]:.1f}" if (network, rate) in scores else "–" for rate in rates]
        edge = " (edge)" if network in beyond else ""
        rows.append((contender.label, str(channels), *cells, f"{chosen[network]:g}{edge}"))
    title = f"best validation accuracy, %, by learning rate; {study.search_epochs} epochs, seed {seeds}"
    return [title, *columns(rows)]


def _best(record: Record) -> float:
    if record["status"] != "ok":
        return 0.0
    accuracies = (epoch.get("validation_accuracy") for epoch in record["epochs"][1:])
    return max((float(accuracy) for accuracy in accuracies if accuracy is not None), default=0.0)
