"""The sentences that say which network to take: the same ones in ``advise`` and on the page."""

from collections.abc import Sequence

from benchmarks.statistics.choosing import MARGIN_WORDS, Choice
from benchmarks.statistics.written import listing


def choice_words(choice: Choice, described: Sequence[str], names: Sequence[str], by: str, ratio: str = "") -> str:
    """Say which network a choice takes, what it rests on, and what the seeds do not decide; without a full stop.

    Args:
        described: each network with its accuracy and its cost.
        names: the short name of each network.
        by: the cost in words, such as "by time".
        ratio: the cost of the network with the highest accuracy as a multiple of that of the network to take, with its
            interval, such as "2.81× [2.60, 3.02]".
    """
    best, chosen = described[choice.most_accurate], described[choice.chosen]
    if choice.chosen == choice.most_accurate:
        near = f"none cheaper {by} is shown to be within {MARGIN_WORDS} of it"
        none = f"none is cheaper {by}" if choice.cheapest else near
        text = f"take {best}, which has the highest mean accuracy; {none}"
    else:
        times = f", which costs {ratio} as much" if ratio else ""
        text = (
            f"take {chosen}, the cheapest {by} that is shown to be within {MARGIN_WORDS} of the highest mean accuracy, "
            f"that of {best}{times}"
        )
    return ". ".join([text, *_cheaper_ones(choice, names)])


def _cheaper_ones(choice: Choice, names: Sequence[str]) -> list[str]:
    """Say of the cheaper networks that are not taken what the seeds show, and what they leave open."""
    found = []

    def named(group: Sequence[int], this: str, these: str) -> tuple[str, str]:
        one = len(group) == 1
        return f"{this if one else these} cheaper network{' is' if one else 's are'}", listing(
            [names[i] for i in group]
        )

    if choice.far:
        are, which = named(choice.far, "This", "These")
        found.append(f"{are} shown to be more than {MARGIN_WORDS} less accurate: {which}")
    if choice.lower:
        are, which = named(choice.lower, "This", "These")
        found.append(
            f"{are} more than {MARGIN_WORDS} less accurate in every seed, though the test does not show it: {which}"
        )
    if choice.undecided:
        are, which = named(choice.undecided, "this", "these")
        found.append(f"The seeds do not decide whether {are} within {MARGIN_WORDS} of the highest mean: {which}")
    return found
