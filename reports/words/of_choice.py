"""Sentences that help to choose a network: which one to take, and which are on the front of accuracy and a cost."""

import math
from collections.abc import Callable, Iterable

import pandas as pd

from benchmarks.answers.choice_words import choice_words
from benchmarks.statistics.intervals import Interval, ratio
from benchmarks.statistics.over_seeds import DECIDING_SEEDS
from benchmarks.statistics.written import listing
from reports.arithmetic.prepared import StudyRuns
from reports.words.names import network_names, spaced
from reports.words.numbers import count, mean_sd, memory, multiple, seconds_with_interval, spans

# The costs by which networks are compared: their names, and how the sentence of the choice writes them.
PRICE_WORDS = {"seconds": "time", "peak_bytes": "memory", "macs": "MACs"}
PRICE_SHOWN: dict[str, tuple[str, Callable[[float], str]]] = {
    "peak_bytes": ("in training", memory),
    "macs": ("MACs an image", count),
}

# A front of more networks is described by its ends; the last column of the table of networks has all of it.
MOST_NAMED = 6


def fronts(study: StudyRuns) -> str:
    """Name, for each cost by itself, the networks that no other clearly beats in accuracy and this cost."""
    networks = study.networks
    if networks.empty:
        return "No network was trained here, so there is no accuracy to weigh costs against."
    names, parts, starred = list(network_names(networks).values()), [], False
    for price in study.fronted:
        known = [i for i, cost in enumerate(networks[price]) if math.isfinite(cost)]
        front = sorted((i for i in known if not study.beaten[price][i]), key=networks[price].tolist().__getitem__)
        mean = [i for i in front if study.rivalled[price][i]]
        which = [f"{names[i]}{'*' if i in mean else ''}" for i in front]
        many = len(front) > MOST_NAMED
        shown = f"from {which[0]} to {which[-1]}, as the table below says" if many else listing(which)
        parts.append(f"By {PRICE_WORDS[price]}, {len(front)} of {len(known)}: {shown}.")
        starred = starred or bool(mean)
    if len(names) == 1:
        return f"The only network is {names[0]}, so there is no front."
    if not parts:
        return "No cost was measured for two networks or more, so there is no front."
    star = " A star: a clearly cheaper network is not shown to be less accurate than this one." if starred else ""
    return f"Networks that no other clearly beats in accuracy and one cost, cheapest first. {' '.join(parts)}{star}"


def described_network(name: str, row: pd.Series, price: str) -> str:
    """Return a network with its accuracy and one cost: `full |H| = 8 (95.7 ± 0.7 %, 226 [220, 231] µs an image)`."""
    cost = f", {_cost(row, price)}" if math.isfinite(row[price]) else ""
    return f"{name} ({mean_sd(row['mean'], row['sd'])}{cost})"


def _cost(row: pd.Series, price: str) -> str:
    if price in PRICE_SHOWN:
        word, show = PRICE_SHOWN[price]
        return f"{show(row[price])} {word}"
    noisy = noise_words(row["findings_case"])
    time = seconds_with_interval(Interval(row["seconds"], row["ci_low"], row["ci_high"]))
    return f"{time} an image{f', {noisy}' if noisy else ''}"


def noise_words(findings: Iterable[tuple[str, str, str]]) -> str:
    """Return why a time is called noisy, such as `noisy: too few samples`; empty for a time that is not."""
    kinds = list(dict.fromkeys(spaced(kind) for kind, _, _ in findings))
    return f"noisy: {listing(kinds)}" if kinds else ""


def cost_ratio(dear: pd.Series, cheap: pd.Series, price: str) -> Interval:
    """Return one cost of a network as a multiple of that of another, with its interval; memory and MACs have none.

    Networks that differ in augmentation alone share the record of their time, so that their ratio is exactly 1.
    """
    ends = ("seconds", "ci_low", "ci_high") if price == "seconds" else (price,) * 3
    ours, theirs = (Interval(*(float(row[name]) for name in ends)) for row in (dear, cheap))
    if price == "seconds" and ours != theirs:
        return ratio(ours, theirs)
    return Interval(*[ours.value / theirs.value] * 3)


def taken(study: StudyRuns) -> str:
    """Name the network that a study takes, or say that it takes none."""
    found, names = study.choice, list(network_names(study.networks).values())
    if found is None:
        return "none"
    if len(names) > 1 and study.accuracies.seeds < DECIDING_SEEDS:
        return "none, too few seeds"
    return names[found.chosen]


def choice(study: StudyRuns) -> str:
    """Say which network to take without a limit, and what its choice rests on; an empty text without a network."""
    found, networks = study.choice, study.networks
    if found is None:
        return ""
    table = networks.reset_index(drop=True)
    names = list(network_names(table).values())

    def described(i: int) -> str:
        return described_network(names[i], table.iloc[i], study.price)

    n, by = f"n = {spans(table['n'], 'seed')}", PRICE_WORDS[study.price]
    best = found.most_accurate
    if len(names) == 1:
        return f"the only network is {described(best)} ({n})."
    if study.accuracies.seeds < DECIDING_SEEDS:
        return f"the seeds are too few to tell accuracies apart ({n}); the highest is that of {described(best)}."
    dear, cheap = table.iloc[best], table.iloc[found.chosen]
    known = dear[study.price] > 0 and cheap[study.price] > 0
    times = multiple(cost_ratio(dear, cheap, study.price)) if known else ""
    return f"{choice_words(found, list(map(described, range(len(names)))), names, f'by {by}', times)} ({n})."
