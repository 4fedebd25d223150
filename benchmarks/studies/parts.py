"""Tables over the parts of a study, which differ in the number of train images or in the poses of the images."""

import math
import statistics
from collections.abc import Mapping, Sequence
from itertools import pairwise

from benchmarks.answers.text_tables import columns
from benchmarks.statistics.over_seeds import estimate
from benchmarks.studies.contenders import Contender
from benchmarks.studies.results import StudyResults, percent_interval


def lines_over_parts(parts: Sequence[StudyResults]) -> list[str]:
    """Return the tables of one study by the number of its train images and by the angle of its test images, if any."""
    first = parts[0].decisions.study
    lines = []
    for matched in first.matches:
        if len({part.decisions.study.train_limit for part in parts}) > 1:
            lines += ["", f"## test accuracy by number of train images, matched by {matched}"]
            lines += efficiency_lines(parts, matched)
        if first.test_angles:
            lines += ["", f"## test accuracy by angle of the test images, matched by {matched}"]
            lines += angle_lines(parts, matched)
    return lines


def efficiency_lines(parts: Sequence[StudyResults], matched: str) -> list[str]:
    """Return the accuracies by number of train images, and how many images each contender needs for the reference's."""
    study = parts[0].decisions.study
    sizes = [int(part.decisions.study.train_limit or part.decisions.images["train"]) for part in parts]
    rows = [("test accuracy, % [95 %]", *(f"{size:,} images" for size in sizes))]
    for contender in study.contenders:
        rows.append((contender.label, *(percent_interval(part.accuracy(matched, contender)) for part in parts)))
    lines = columns(rows)
    reference = [part.accuracies(matched, study.reference) for part in parts]
    rows = [(f"images needed / images of {study.reference.label}", *(f"at {size:,}" for size in sizes))]
    for contender in study.contenders:
        if contender != study.reference:
            curves = [part.accuracies(matched, contender) for part in parts]
            cells = (needed_text(sizes, curves, reference, place) for place in range(len(sizes)))
            rows.append((contender.label, *cells))
    note = (
        "Median [least, most] over seeds of the number of images with which the contender is as accurate as the "
        "reference with the number in the heading, as a multiple of this number; its accuracies are interpolated along "
        "the logarithm of the number. ∞: not with all images; <: already with the fewest."
    )
    return [*lines, "", *columns(rows), note]


def needed_text(
    sizes: Sequence[int],
    curves: Sequence[Mapping[int, float]],
    reference: Sequence[Mapping[int, float]],
    place: int,
) -> str:
    """Write the multiple of ``sizes[place]`` images that a contender needs for the reference's accuracy there.

    ``curves`` and ``reference`` are accuracies by seed, for each size; seeds that lack an accuracy are left out.
    """
    seeds = sorted(set.intersection(*(set(each) for each in (*curves, reference[place]))))
    if not seeds:
        return "–"
    found = [
        images_needed(sizes, [curve[seed] for curve in curves], reference[place][seed]) / sizes[place] for seed in seeds
    ]
    least = sizes[0] / sizes[place]
    middle, low, high = statistics.median(found), min(found), max(found)
    texts = ["∞" if math.isinf(x) else f"<{least:.2g}" if x < least else f"{x:.2g}" for x in (middle, low, high)]
    return f"{texts[0]} [{texts[1]}, {texts[2]}], n = {len(seeds)}"


def images_needed(sizes: Sequence[int], accuracies: Sequence[float], wanted: float) -> float:
    """Return the number of images at which an accuracy is first reached; the curve is linear in the logarithm.

    The result is 0 if the fewest images are enough, and infinite if all are not.

    >>> round(images_needed([100, 1000], [0.5, 0.9], 0.7))
    316
    """
    if accuracies[0] >= wanted:
        return 0.0
    for (n, a), (m, b) in pairwise(zip(sizes, accuracies, strict=True)):
        if b >= wanted:
            return float(n * (m / n) ** ((wanted - a) / (b - a)))
    return math.inf


def angle_lines(parts: Sequence[StudyResults], matched: str) -> list[str]:
    """Return the accuracies on test images that are turned, by angle, in each part."""
    lines = []
    for part in parts:
        study = part.decisions.study
        curves = {contender: _by_angle(part, matched, contender) for contender in study.contenders}
        angles = sorted({angle for curve in curves.values() for angle in curve})
        rows = [(f"trained on {study.dataset}: angle", *(contender.label for contender in curves))]
        for angle in angles:
            cells = (percent_interval(estimate(curve.get(angle, []), step=part.test_step)) for curve in curves.values())
            rows.append((f"{angle:g}°", *cells))
        lines += ["", *columns(rows)]
    return lines


def over_angles(results: StudyResults, matched: str, contender: Contender) -> list[float]:
    """Return the accuracy of each seed, a fraction, as the mean over all angles by which test images are turned."""
    turned = (record.get("test_by_angle") or () for record in results.records[matched, contender])
    return [statistics.fmean(float(entry["accuracy"]) for entry in entries) for entries in turned if entries]


def _by_angle(results: StudyResults, matched: str, contender: Contender) -> dict[float, list[float]]:
    """Return the accuracies of all seeds by angle, fractions."""
    found: dict[float, list[float]] = {}
    for record in results.records[matched, contender]:
        for entry in record.get("test_by_angle") or ():
            found.setdefault(float(entry["angle"]), []).append(float(entry["accuracy"]))
    return found
