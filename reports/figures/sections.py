"""The figures of each section of the page. To add a figure, write it in a file of this folder and list it here once."""

from reports.arithmetic.prepared import Prepared
from reports.figures.choice import pareto
from reports.figures.compared_with_plain import compared_with_plain
from reports.figures.draw import Figure
from reports.figures.growth import MACS_GROWTH, MEMORY_GROWTH, TIME_GROWTH, growth
from reports.figures.inside import memory_parts, roofline, stages
from reports.figures.operators import operators
from reports.figures.peers import peers
from reports.figures.separable import mac_split, realised
from reports.figures.training import accuracy, redundancy
from reports.figures.trust import equivariance, noise
from reports.figures.turned import by_angle, map_errors


def sections(results: Prepared, prefix: str = "") -> dict[str, list[Figure]]:
    """Draw all figures of one set of results, by section of the page, in the order of the page.

    The sections `choice` and `accuracy` exist once for each study; their names end with the study's suffix.

    Args:
        prefix: the start of each figure's key, so that several sets of results have different keys.
    """
    p = f"{prefix}-" if prefix else ""
    studies = [(study, study.suffix) for study in results.shown_studies]
    spent = {"epoch": "epochs", "seconds": "seconds", "macs": "macs"}
    return {
        "headline": [compared_with_plain(results, f"{p}relative")],
        **{f"choice{suffix}": [pareto(study, f"{p}pareto{suffix}")] for study, suffix in studies},
        "growth": [
            growth(results, TIME_GROWTH, "forward", f"{p}time-forward"),
            growth(results, TIME_GROWTH, "forward_backward", f"{p}time-training"),
            growth(results, MEMORY_GROWTH, "forward", f"{p}memory-forward"),
            growth(results, MEMORY_GROWTH, "forward_backward", f"{p}memory-training"),
            growth(results, MACS_GROWTH, "forward", f"{p}macs"),
        ],
        "inside": [stages(results, f"{p}stages"), memory_parts(results, f"{p}memory-parts")],
        "operators": [operators(results, f"{p}operators")],
        "separable": [realised(results, f"{p}realised"), mac_split(results, f"{p}split")],
        "roofline": [roofline(results, f"{p}roofline")],
        "peers": [peers(results, f"{p}peers")],
        **{
            f"accuracy{suffix}": [accuracy(study, x, f"{p}accuracy-{name}{suffix}") for x, name in spent.items()]
            for study, suffix in studies
        },
        "equivariance": [
            equivariance(results, f"{p}equivariance-error"),
            map_errors(results, f"{p}map-errors"),
            by_angle(results, f"{p}by-angle"),
        ],
        "redundancy": [redundancy(results, f"{p}redundancy")],
        "noise": [noise(results, f"{p}noise")],
    }
