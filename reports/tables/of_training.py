"""The tables about training: networks with their costs, accuracies, and what was spent until a target."""

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from benchmarks.statistics.intervals import Interval
from reports.arithmetic.prepared import StudyRuns
from reports.arithmetic.training import PRICES, over_seeds
from reports.frames.selection import NETWORK, of_study
from reports.style import in_order
from reports.tables.cells import Cell, Row, Table, cell, number_cell
from reports.words import numbers
from reports.words.names import network_names, study_title
from reports.words.of_choice import PRICE_WORDS, choice, described_network
from reports.words.of_pairs import costs_of, pair_word

# The costs for which a reader of the page may set a budget.
ADVISED_COSTS = (*PRICES, "training_seconds")


def networks(study: StudyRuns) -> Table:
    """Show every network of a study with its accuracy and costs, most accurate first; the page's advisor marks rows.

    The data of a row have, as numbers of networks, the rivals that clearly beat the network at each cost, those that it
    is shown to be near, those that it is shown to be far below, and those that it is far below in every seed.
    """
    table = study.networks
    table = table.assign(name=list(network_names(table).values()), number=range(len(table)))
    rows = []
    for row in table.sort_values("mean", ascending=False, kind="stable").to_dict("records"):
        i = row["number"]
        accuracy = numbers.mean_sd(row["mean"], row["sd"])
        link = f"#{row['anchor_case']}" if isinstance(row["anchor_case"], str) else ""
        cells = [
            Cell(row["name"], row["name"], look=study.looks.get(row["network"], row["variant"])),
            number_cell(accuracy, row["mean"]),
            number_cell(numbers.general(row["n"]), row["n"]),
            _inference(row, link),
            number_cell(numbers.memory(row["peak_bytes"]), row["peak_bytes"]),
            number_cell(numbers.count(row["macs"]), row["macs"]),
            _training(row),
            number_cell(numbers.count(row["parameters"]), row["parameters"]),
            Cell(_front(study, row), "", name="front"),
        ]
        costs = {name: "" if math.isnan(row[name]) else repr(row[name]) for name in ADVISED_COSTS}
        words = described_network(row["name"], pd.Series(row), study.price)
        data = {"name": row["name"], "words": numbers.unbroken(words), "accuracy": repr(row["mean"]), **costs}
        data |= {"number": str(i), "n": f"{row['n']:.0f}"}
        data |= {end: "" if math.isnan(row[end]) else repr(row[end]) for end in ("ci_low", "ci_high")}
        data |= {f"beaten-{price}": _numbers(study.beaten[price][i]) for price in PRICES}
        data |= {f"rivalled-{price}": _numbers(study.rivalled[price][i]) for price in PRICES}
        compared = study.accuracies
        shown = {"near": compared.near, "far": compared.far, "lower": compared.lower}
        data |= {name: _numbers(b for a, b in pairs if a == i) for name, pairs in shown.items()}
        rows.append(Row(tuple(cells), data=data))
    headings = ("network", "test accuracy", "seeds", "inference per image", "memory of training")
    more = ("MACs per image", "training, whole", "parameters", "on the front of")
    return Table("Networks: what they reach and what they cost", (*headings, *more), tuple(rows))


def pairs(study: StudyRuns) -> Table:
    """Compare pairs of networks of a study directly: accuracies by the same seeds, and costs as multiples."""
    table, rows = study.networks, []
    names = list(network_names(table).values())
    looks = [study.looks.get(factory, look) for factory, look in zip(table["network"], table["variant"], strict=True)]
    for pair in study.pairs:
        first, second = names[pair.first], names[pair.second]
        cells = [
            Cell(first, first, look=looks[pair.first]),
            Cell(second, second, look=looks[pair.second]),
            number_cell(numbers.percentage_points(pair.difference), pair.difference.value),
            number_cell(numbers.general(pair.n), pair.n),
            Cell(pair_word(pair), pair_word(pair), name="word"),
            *(Cell(costs_of(study, pair, price), "", number=True) for price in PRICES),
        ]
        rows.append(Row(tuple(cells)))
    headings = ("network", "compared with", "points of test accuracy", "seeds", "the first is")
    costs = ("inference, first ÷ second", "memory of training", "MACs per image")
    return Table("Two networks compared directly", (*headings, *costs), tuple(rows))


def _of_batch(row: Mapping[Hashable, Any]) -> str:
    """Return how the time of an image follows from that of a pass, which is what the record shows: `16.5 ms / 64`."""
    seconds, batch = row["seconds"], row["batch_size"]
    return f"{numbers.seconds(seconds * batch)} / {batch:.0f}" if math.isfinite(seconds) and batch > 1 else ""


def all_studies(studies: Sequence[StudyRuns]) -> Table:
    """Show which network to take by each study, and what that rests on, in the order of the studies."""
    rows = []
    for study in studies:
        table = study.networks
        best, n = table["mean"].max(), len(study.runs)
        cells = [
            cell(study_title(study.runs), str),
            number_cell(numbers.general(len(table)), len(table)),
            number_cell(numbers.general(n), n),
            number_cell(numbers.percent(best), best),
            cell(choice(study), str),
        ]
        rows.append(Row(tuple(cells)))
    kind = "study" if all(of_study(study.runs) for study in studies) else "set of runs"
    headings = (kind, "networks", "runs", "highest test accuracy", "choice")
    return Table(f"Every {kind}, and the network to take by it", headings, tuple(rows))


def _numbers(found: Iterable[int]) -> str:
    return " ".join(map(str, sorted(found)))


def _inference(row: Mapping[Hashable, Any], link: str) -> Cell:
    """Show the time of an image; below it its interval, whether it is called noisy, and the pass that it comes from.

    Where a pass was timed at another batch alone, the time of this pass stands below a dash.
    """
    time = Interval(row["seconds"], row["ci_low"], row["ci_high"])
    interval = numbers.seconds_with_interval(time).removeprefix(numbers.seconds(time.value).split(" ")[0])
    if math.isfinite(time.value):
        parts = [interval.strip(), "noisy" if row["findings_case"] else "", _of_batch(row)]
    else:
        known = math.isfinite(row["other_seconds"])
        parts = [f"a pass at batch {row['other_batch']:.0f}: {numbers.seconds(row['other_seconds'])}"] * known
    note = ", ".join(part for part in parts if part)
    return Cell(numbers.seconds(time.value), repr(time.value), number=True, link=link, note=note)


def _training(row: Mapping[Hashable, Any]) -> Cell:
    """Show the mean seconds of a whole training, with the fastest and the slowest seed below it."""
    mean, low, high = (row[f"training_{part}"] for part in ("seconds", "low", "high"))
    ends = [numbers.seconds(end) for end in (low, high)]
    note = "" if ends[0] == ends[1] else " to ".join(ends)
    return Cell(numbers.seconds(mean), repr(mean) if math.isfinite(mean) else "", number=True, note=note)


def _front(study: StudyRuns, row: Mapping[Hashable, Any]) -> str:
    """Return the costs at which no other network clearly beats this one; a star where its mean alone says so.

    A cost that fewer than two networks have has no front.
    """
    known, i = [price for price in study.fronted if math.isfinite(row[price])], row["number"]
    stars = {price: "*" if study.rivalled[price][i] else "" for price in known}
    on = [f"{PRICE_WORDS[price]}{stars[price]}" for price in known if not study.beaten[price][i]]
    return ", ".join(on) if on else "no" if known else numbers.NOTHING


def accuracy(study: StudyRuns) -> Table:
    """Show the test accuracy of every network, mean ± s.d. over seeds."""
    runs, looks = study.runs, study.looks
    table = over_seeds(runs, NETWORK, "test_accuracy")
    means = runs.groupby(NETWORK, dropna=False)[["seconds", "best_epoch", "learning_rate"]].mean().reset_index()
    table = table.merge(means, on=NETWORK)
    # Ends of a search; `train` does not search.
    rates = (runs["learning_rate"].min(), runs["learning_rate"].max()) if of_study(runs) else (-math.inf, math.inf)
    names = network_names(table)
    rows = []
    for variant in in_order(table["variant"]):
        for i, row in table[table["variant"] == variant].iterrows():
            cells = [
                Cell(names[i], names[i], look=looks.get(row["network"], variant)),
                number_cell(numbers.mean_sd(row["mean"], row["sd"]), row["mean"]),
                number_cell(f"{numbers.percent(row['min'])} to {numbers.percent(row['max'])}", row["min"]),
                number_cell(numbers.general(row["n"]), row["n"]),
                number_cell(numbers.general(round(float(row["best_epoch"]), 1)), row["best_epoch"]),
                _rate(row["learning_rate"], *rates),
            ]
            rows.append(Row(tuple(cells)))
    headings = ("network", "test accuracy, mean ± s.d.", "worst to best seed", "n (seeds)", "chosen epoch, mean")
    caption = "Test accuracy at the epoch that validation chose"
    return Table(caption, (*headings, "learning rate"), tuple(rows))


def _rate(rate: float, least: float, most: float) -> Cell:
    """Show a learning rate, and whether it is at an end of those that the study chose."""
    end = "" if least == most or least < rate < most else "lowest here" if rate == least else "highest here"
    return Cell(numbers.general(rate), repr(rate), number=True, note=end)


def target(spent: pd.DataFrame, goal: float, looks: Mapping[str, str]) -> Table:
    """Show what every network had spent when its validation accuracy first reached a goal, over seeds.

    Args:
        looks: of users' networks, by their factories.
    """
    rows = []
    names = network_names(spent)
    for variant in in_order(spent["variant"]):
        for i, row in spent[spent["variant"] == variant].iterrows():
            reached = number_cell(f"{row['reached']:.0f} of {row['n']:.0f}", row["reached"])
            cells = [Cell(names[i], names[i], look=looks.get(row["network"], variant)), reached]
            for unit, show in (("epoch", numbers.general), ("seconds", numbers.seconds), ("macs", numbers.count)):
                text = _spent(row, unit, show)
                median = row[f"{unit}_median"]
                cells.append(number_cell(text, median))
            rows.append(Row(tuple(cells)))
    headings = ("network", "seeds that got there", "epochs", "training time", "MACs")
    caption = f"Spent until a validation accuracy of {numbers.percent(goal, 0)}: median over seeds [least, most]"
    return Table(caption, headings, tuple(rows))


def _spent(row: pd.Series, unit: str, show: Callable[[float], str]) -> str:
    """Return the median over seeds with the least and the most, or one number where they are equal."""
    median, low, high = (row[f"{unit}_{part}"] for part in ("median", "low", "high"))
    most = show(high) if math.isfinite(high) else "not all"
    if not math.isfinite(median):
        return "not in time"
    return show(median) if show(low) == most else f"{show(median)} [{show(low)}, {most}]"
