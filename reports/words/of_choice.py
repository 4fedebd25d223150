"""Sentences that help to choose a network: which one to take, and which are on the front of accuracy and a cost."""

import math
from collections.abc import Callable

import pandas as pd

from benchmarks.answers.choice_words import choice_words
from benchmarks.statistics.over_seeds import DECIDING_SEEDS
from benchmarks.statistics.written import listing
from reports.arithmetic.prepared import StudyRuns
from reports.words.names import network_names
from reports.words.numbers import count, digits, mean_sd, memory, seconds, spans

# The costs by which networks are compared: their names, and how the sentence of the choice writes them.
PRICE_WORDS = {"seconds": "time", "peak_bytes": "memory", "macs": "MACs"}
PRICE_SHOWN: dict[str, tuple[str, Callable[[float], str]]] = {
    "seconds": ("an image", seconds),
    "peak_bytes": ("in training", memory),
    "macs": ("MACs an image", count),
}


def fronts(study: StudyRuns) -> str:
    """Name, for each cost by itself, the networks that no other clearly beats in accuracy and this cost."""
    networks = study.networks
    if networks.empty:
        return "No network was trained here, so there is no accuracy to weigh costs against."
    names, parts = list(network_names(networks).values()), []
    for price, word in PRICE_WORDS.items():
        known = [i for i, cost in enumerate(networks[price]) if math.isfinite(cost)]
        front = sorted((i for i in known if not study.beaten[price][i]), key=networks[price].tolist().__getitem__)
        if len(known) > 1:
            which = "all of them" if len(front) == len(known) else listing([names[i] for i in front])
            parts.append(f"by {word} {len(front)} of {len(known)}, {which}")
    if not parts:
        return "The costs of fewer than two networks were measured, so there is no front."
    return f"Networks that none clearly beats in accuracy and one cost, cheapest first: {'; '.join(parts)}."


def described_network(name: str, row: pd.Series, price: str) -> str:
    """Return a network with its accuracy and one cost: `full |H| = 8 (95.7 ± 0.7 %, 226 µs an image)`."""
    word, show = PRICE_SHOWN[price]
    cost = f", {show(row[price])} {word}" if math.isfinite(row[price]) else ""
    return f"{name} ({mean_sd(row['mean'], row['sd'])}{cost})"


def choice(study: StudyRuns) -> str:
    """Say which network to take without a limit, and what its choice rests on; an empty text without a network."""
    found, networks = study.choice, study.networks
    if found is None:
        return ""
    table = networks.reset_index(drop=True)
    names = list(network_names(table).values())
    costs = table[study.price].tolist()

    def described(i: int) -> str:
        return described_network(names[i], table.iloc[i], study.price)

    n, by = f"n = {spans(table['n'], 'seed')}", PRICE_WORDS[study.price]
    best = found.most_accurate
    if len(names) == 1:
        return f"the only network is {described(best)} ({n})."
    if study.accuracies.seeds < DECIDING_SEEDS:
        return f"the seeds are too few to tell accuracies apart ({n}); the highest is that of {described(best)}."
    ratio = costs[best] / costs[found.chosen] if costs[best] > 0 else math.nan
    times = f"{digits(ratio, 2)}×" if math.isfinite(ratio) else ""
    return f"{choice_words(found, list(map(described, range(len(names)))), names, f'by {by}', times)} ({n})."
