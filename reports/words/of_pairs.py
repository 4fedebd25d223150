"""Words about pairs of networks of a study: which one is more accurate, and which one costs more."""

import pandas as pd

from benchmarks.statistics.over_seeds import DECIDING_SEEDS
from reports.arithmetic.pairs import Pair
from reports.arithmetic.prepared import StudyRuns
from reports.words.names import network_names
from reports.words.numbers import NOTHING, multiple, percentage_points
from reports.words.of_choice import PRICE_WORDS, cost_ratio

# The variants whose pairs with separable the first screen shows; users' networks are "custom".
ASKED = {"full", "separable", "plain", "custom"}


def pair_word(pair: Pair) -> str:
    """Return what the corrected test shows of the first network of a pair."""
    if pair.n < DECIDING_SEEDS:
        return "too few seeds"
    if pair.better is not None:
        return "more accurate" if pair.better else "less accurate"
    alone = pair.difference.low > 0 or pair.difference.high < 0
    return "not told apart among all pairs" if alone else "not told apart"


def costs_of(study: StudyRuns, pair: Pair, price: str) -> str:
    """Return one cost of the first network of a pair as a multiple of the second's; a dash where it is unknown."""
    first, second = (study.networks.iloc[i] for i in (pair.first, pair.second))
    known = first[price] > 0 and second[price] > 0
    return multiple(cost_ratio(first, second, price)) if known else NOTHING


def asked(study: StudyRuns, shown: pd.DataFrame) -> list[Pair]:
    """Return the pairs of the first screen: of the networks in `shown`, separable with those in ``ASKED``."""
    known, variants = set(study.places(shown)), study.networks["variant"].tolist()

    def wanted(pair: Pair) -> bool:
        both = {variants[pair.first], variants[pair.second]}
        return {pair.first, pair.second} <= known and "separable" in both and both <= ASKED

    return [pair for pair in study.pairs if wanted(pair)]


def pair_words(study: StudyRuns, pair: Pair) -> str:
    """Compare two networks: `full |H| = 8 compared with separable |H| = 8: +0.6 [0.4, 0.8], more accurate, at …`."""
    names = list(network_names(study.networks).values())
    cost = costs_of(study, pair, study.price)
    price = "" if cost == NOTHING else f", at {cost} the {PRICE_WORDS[study.price]}"
    return (
        f"{names[pair.first]} compared with {names[pair.second]}: {percentage_points(pair.difference)}, "
        f"{pair_word(pair)}{price}"
    )
