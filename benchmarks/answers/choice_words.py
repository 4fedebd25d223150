"""The sentence that says which network to take: the same one in ``advise`` and on the page."""

from collections.abc import Sequence

from benchmarks.statistics.choosing import MARGIN_WORDS, Choice
from benchmarks.statistics.written import listing


def choice_words(choice: Choice, described: Sequence[str], names: Sequence[str], by: str, ratio: str = "") -> str:
    """Say which network a choice takes, what it rests on, and what the seeds do not decide; without a full stop.

    Args:
        described: each network with its accuracy and its cost.
        names: the short name of each network.
        by: the cost in words, such as "by time".
        ratio: the cost of the most accurate network as a multiple of that of the network to take, such as "2.8×".
    """
    best, chosen = described[choice.most_accurate], described[choice.chosen]
    if choice.chosen == choice.most_accurate:
        near = f"none cheaper {by} is shown to be within {MARGIN_WORDS} of it"
        text = f"take {best}, the most accurate; {f'none is cheaper {by}' if choice.cheapest else near}"
    else:
        times = f", which costs {ratio} as much" if ratio else ""
        text = (
            f"take {chosen}, the cheapest {by} that is shown to be within {MARGIN_WORDS} of the most accurate, "
            f"{best}{times}"
        )
    undecided = listing([names[i] for i in choice.undecided])
    return text + (f". The seeds do not decide whether these cheaper ones are: {undecided}" if undecided else "")
