"""The sentences of the first screen, with links to the records behind them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from benchmarks.statistics.intervals import Interval
from benchmarks.statistics.over_seeds import BOOTSTRAP_SEEDS
from benchmarks.statistics.written import listing
from reports.arithmetic.layers import TIME_RATIO, separable_against_full
from reports.arithmetic.prepared import Prepared, StudyRuns
from reports.arithmetic.training import best_plain, gains
from reports.frames.selection import NETWORK, at, base_point, layer_base, of_study
from reports.style import in_order
from reports.words.names import (
    BASIC,
    PASS_WORDS,
    by_study,
    device_name,
    direction_name,
    network_names,
    ordered_directions,
    place,
    sets_of_runs,
    study_title,
)
from reports.words.numbers import digits, mean_sd, multiple, percent, percentage_points, seconds, spans
from reports.words.of_choice import choice, taken
from reports.words.of_pairs import asked, pair_words
from reports.words.sources import Source, records_of


@dataclass(frozen=True)
class Sentence:
    """A generated sentence, and the records that its numbers come from.

    Args:
        before: the sentence, or its part before the items.
        items: parts of the sentence that the page shows as a list.
        after: the part after the items.
        sections: the sections of the page that say more, by their titles.
    """

    before: str
    records: tuple[Source, ...] = ()
    items: tuple[str, ...] = ()
    after: str = ""
    sections: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The whole sentence, its items joined by semicolons."""
        return f"{self.before}{'; '.join(self.items)}{self.after}"


def headline(results: Prepared) -> list[Sentence]:
    """Return the sentences: what to take by each study, the cost at equal channels and at equal maps, saving, gain."""
    found = [
        decision(results.shown_studies[0]),
        direct(results.shown_studies[0], results.best_networks),
        other_decisions(results.studies[1:]),
        cost(results.against_plain),
        cost_at_equal_maps(results.against_equal_maps),
        saving(results.costs, results.data.twins),
        gain(results.runs, results.best_networks),
        own_layers(results.against_peers),
    ]
    return [sentence for sentence in found if sentence is not None]


def decision(study: StudyRuns) -> Sentence | None:
    """Say which network of the first study to take."""
    text = choice(study)
    if not text:
        return None
    lead = "Choice" if len(study.networks) > 1 else "No choice"
    return Sentence(f"{lead}, by {by_study(study.runs)}: {text}", (*_times_of(study), *records_of(_named(study))))


def _named(study: StudyRuns) -> pd.DataFrame:
    """Return the runs of a study, each with the name of its network."""
    names = study.networks[NETWORK].assign(name=list(network_names(study.networks).values()))
    return study.runs.merge(names, on=NETWORK)


def _times_of(study: StudyRuns) -> tuple[Source, ...]:
    """Return the records behind the times of an image in the choice: passes of the two networks that it compares."""
    if study.choice is None or "anchor_case" not in study.networks:
        return ()
    names, anchors = list(network_names(study.networks).values()), study.networks["anchor_case"].tolist()
    compared = dict.fromkeys((study.choice.chosen, study.choice.most_accurate))
    return tuple(
        Source(names[i], "", (("time of a pass", anchors[i]),))
        for i in compared
        if isinstance(anchors[i], str) and anchors[i]
    )


def direct(study: StudyRuns, shown: pd.DataFrame) -> Sentence | None:
    """Compare separable directly with full, plain and users' networks, and with itself with augmented images."""
    found = asked(study, shown)
    if not found:
        return None
    n = spans(pd.Series([pair.n for pair in found]), "seed")
    alike = "in the same study" if of_study(study.runs) else "trained alike"
    before = (
        "Direct comparison: points of test accuracy by which the first network is above (+) or below (−) the second, "
        f"{alike}: "
    )
    after = f" (n = {n}; 95 % intervals of single differences by seed; words: the test corrected for all pairs)."
    items = tuple(pair_words(study, pair) for pair in found)
    return Sentence(before, (), items, after, {"more pairs, and the rule": "choice"})


def other_decisions(studies: Sequence[StudyRuns]) -> Sentence | None:
    """Say in one line which networks the other studies take; one network alone is no choice."""
    several = [study for study in studies if study.choice is not None and len(study.networks) > 1]
    if not several:
        return None
    parts = [f"{taken(study)} ({study_title(study.runs)})" for study in several]
    sections = {"the table of all": "accuracy", "their networks": "choice"}
    kinds = sets_of_runs([study.runs for study in several])
    return Sentence(f"Other choices, by other {kinds}: {'; '.join(parts)}.", sections=sections)


def cost(against_plain: pd.DataFrame) -> Sentence | None:
    """Compare the time of every variant with plain, in both passes."""
    table = against_plain
    table = table[table["direction"].isin(PASS_WORDS) & table["variant"].isin(BASIC)]
    if (table["variant"] == "plain").all():
        return None
    parts = []
    for direction, words in (("forward", "inference"), ("forward_backward", "a training pass")):
        rows = {str(row["variant"]): row for _, row in table[table["direction"] == direction].iterrows()}
        if len(rows) > 1:
            ratios = [f"{multiple(Interval(*rows[v][TIME_RATIO]))} for {v}" for v in in_order(rows) if v != "plain"]
            parts.append(f"{listing(ratios)} in {words} (plain: {seconds(rows['plain']['seconds'])})")
    sentence = f"Cost: one layer takes, compared with a plain convolution of as many channels, {'; '.join(parts)}."
    sentence += other_block(table)
    return Sentence(sentence, records_of(table))


def cost_at_equal_maps(table: pd.DataFrame) -> Sentence | None:
    """Compare the time of layers with that of the plain convolution of as many maps, in both passes."""
    table = table[table["direction"].isin(PASS_WORDS) & table["variant"].isin(BASIC)]
    parts = []
    for direction, words in (("forward", "inference"), ("forward_backward", "a training pass")):
        rows = {str(row["variant"]): row for _, row in table[table["direction"] == direction].iterrows()}
        if rows:
            ratios = [f"{multiple(Interval(*rows[v][TIME_RATIO]))} for {v}" for v in in_order(rows)]
            plain = next(iter(rows.values()))["seconds_plain"]
            parts.append(f"{listing(ratios)} in {words} (plain: {seconds(plain)})")
    if not parts:
        return None
    maps = f"C · |H| = {table['channels_plain'].iloc[0]:.0f} channels"
    wider = f"a plain convolution of {maps}, |H| times as wide,"
    sentence = f"At equal maps: compared with {wider} one layer takes {'; '.join(parts)}."
    sentence += other_block(table)
    wide = table.filter(regex="_plain$|^direction$").rename(columns=lambda name: name.removesuffix("_plain"))
    return Sentence(sentence, (*records_of(table), *records_of(wide)))


def other_block(table: pd.DataFrame) -> str:
    """Say in which passes plain was timed in another block than a layer compared with it; an empty text for none."""
    apart = table[(table["variant"] != "plain") & ~table["one_block"].astype(bool)]
    if apart.empty:
        return ""
    passes = listing([direction_name(direction) for direction in ordered_directions(apart["direction"])])
    return (
        f" Plain was timed in another block than these layers ({passes}), so the intervals leave out how the machine "
        "drifted in between."
    )


def saving(costs: pd.DataFrame, twins: pd.DataFrame) -> Sentence | None:
    """Say how much faster separable is than full, with how many fewer MACs: at the base point, and in a network.

    The network has as many elements of H as the layer at the base point.
    """
    layers = costs[costs["layer"] == "conv"]
    base = layer_base(layers)
    here = at(layers, base)
    networks = costs[costs["layer"] == "resnet"]
    point = base_point(networks) | {name: base[name] for name in ("group", "resolution") if name in base}
    there = at(networks, point)
    network = f"a separable network ({_size(point)})" if len(there) else ""
    parts, used = [], []
    for what, rows in (("one separable layer is", here), (f"{network} is", there)):
        pairs = separable_against_full(rows, twins).drop_duplicates("direction")
        texts = [
            f"{multiple(Interval(*p[TIME_RATIO]))} as fast as full in {direction_name(p['direction'])} "
            f"({_word(p)}{digits(p['mac_ratio'], 2)}× fewer MACs{_memory(p)})"
            for _, p in pairs.iterrows()
        ]
        if texts:
            parts.append(f"{what} {listing(texts)}")
            kind = rows["variant"] + (" network" if rows is there else "")
            used.append(rows.assign(name=kind)[rows["variant"].isin(["full", "separable"])])
    return Sentence(f"Saving: {'; '.join(parts)}.", records_of(pd.concat(used))) if len(parts) else None


def own_layers(pairs: pd.DataFrame) -> Sentence | None:
    """Say where users' layers are compared with ours."""
    names = sorted(set(pairs.loc[pairs["variant"] == "custom", "implementation"]))
    if not names:
        return None
    text = f"Users’ layers: time, memory and MACs of {listing(names)} are compared with those of ours."
    return Sentence(text, sections={"Other layers": "others"})


def _size(point: Mapping[str, Any]) -> str:
    """Return the sizes of a network, and where it ran."""
    pixels = f"{point['image_size']:.0f} × {point['image_size']:.0f} pixels"
    sizes = f"|H| = {point['resolution']:.0f}, C = {point['channels']:.0f}, batch {point['batch_size']:.0f}"
    return f"{sizes}, {pixels}, {place(point)}"


def _word(pair: pd.Series) -> str:
    """Return the word on separable where it says other than the ratio, and whether both took no turns."""
    said = "" if pair["word"] == "faster" and pair["time_ratio"] > 1 else pair["word"]
    turns = "" if pair["one_block"] else "not timed in turns"
    return "".join(f"{text}; " for text in (said, turns) if text)


def _memory(pair: pd.Series) -> str:
    return "" if pd.isna(pair["memory_ratio"]) else f", {digits(pair['memory_ratio'], 2)}× the memory"


def gain(runs: pd.DataFrame, best: pd.DataFrame) -> Sentence | None:
    """Say how much test accuracy each network gains over the plain one that validates best, in percentage points."""
    if best.empty:
        return None
    names, gained = network_names(best), gains(runs, best)
    reached = {i: mean_sd(row["mean"], row["sd"]) for i, row in best.iterrows()}
    ordered = [i for variant in in_order(best["variant"]) for i in best.index[best["variant"] == variant]]
    if gained:
        plain = best_plain(best)
        over = f"points more (+) or less (−) than {names[plain]}, which reaches {reached[plain]}: "
        ranked = sorted(gained, key=lambda i: -gained[i].value)
        items = [f"{names[i]}: {percentage_points(gained[i])} ({reached[i]})" for i in ranked]
        items += [f"{names[i]}: not compared ({reached[i]})" for i in ordered if i not in gained and i != plain]
    else:
        over, items = "", [f"{names[i]} reaches {reached[i]}" for i in ordered]
    several, seeds = best["sd"].notna().any(), int(best["n"].min())
    unit = "mean ± s.d." if several else "single runs"
    unit += f"; 95 % intervals of the differences by seed: {interval_method(seeds)}" if gained and several else ""
    n, where, device = spans(best["n"], "seed"), runs.iloc[0]["dataset"], device_name(runs.iloc[0])
    records = records_of(runs.merge(best[NETWORK].assign(name=list(names.values())), on=NETWORK))
    before, after = f"Gain, on the test images of {where}: {over}", f" ({unit}, n = {n}; trained on {device})."
    return Sentence(before, records, tuple(items), after)


def interval_method(seeds: int) -> str:
    """Name the interval of a mean over seeds, see ``over_seeds.estimate``."""
    return "percentile-t bootstrap" if seeds >= BOOTSTRAP_SEEDS else "Student’s t"


def compared_with_plain(table: pd.DataFrame, study: StudyRuns, best: pd.DataFrame) -> str:
    """Say which variants cost the least and the most time compared with plain, and which network is most accurate.

    Args:
        study: the study of the networks `best`.
    """
    parts = []
    others = table[table["variant"] != "plain"]
    if len(others):
        ends = others.sort_values("time_ratio").iloc[[0, -1]]
        prices = [
            f"{digits(row['time_ratio'], 2)}× ({row['variant']}, {direction_name(row['direction'])})"
            for _, row in ends.iterrows()
        ]
        at = f"|H| = {others['resolution'].iloc[0]:.0f}"
        parts.append(
            f"at equal width and {at}, a layer costs from {' to '.join(prices)} the time of a plain convolution"
        )
    if len(best):
        best = pd.concat([best[best["variant"] == variant] for variant in in_order(best["variant"])])
        names, means = list(network_names(best).values()), best["mean"].tolist()
        places, first = study.places(best), max(range(len(best)), key=means.__getitem__)
        better = [(places[first], place) in study.accuracies.better for place in places]
        alike = [name for i, name in enumerate(names) if i != first and not better[i]]
        apart = "" if len(best) == 1 else f"; not told apart from it by the corrected test: {listing(alike) or 'none'}"
        highest = f"the highest test accuracy is that of {names[first]} ({percent(means[first])})"
        parts.append(f"{highest}{apart} (n = {spans(best['n'], 'seed')})")
    if not parts:
        return "No plain convolution was measured at the base point and no network was trained: nothing to compare."
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."
