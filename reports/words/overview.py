"""A set of results in a few words: for the head of the page, the summary, and the gallery of reports."""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from benchmarks.records.record import cores_text
from benchmarks.statistics.noise import OWN_LOAD
from benchmarks.statistics.written import listing, plural
from reports.frames.frames import Frames
from reports.frames.selection import opening_order
from reports.style import in_order
from reports.words.names import device_name, spaced
from reports.words.numbers import general
from reports.words.of_trust import called_noisy

TITLE = "What group equivariance costs, and what it buys"
# As in CITATION.cff.
AUTHORS = "The gcnn_impl contributors"
PAPER = """@inproceedings{knigge2022exploiting,
  author = {Knigge, David M. and Romero, David W. and Bekkers, Erik J.},
  title = {Exploiting Redundancy: Separable Group Convolutional Networks on {Lie} Groups},
  booktitle = {Proceedings of the 39th International Conference on Machine Learning},
  volume = {162},
  pages = {11359--11386},
  year = {2022},
  publisher = {PMLR},
}"""
MEASURE_YOURS = "python -m benchmarks sweep --profile quick"


@dataclass(frozen=True)
class Overview:
    """The name of a report and its content.

    `measured` names the day of the measurements, or the first and the last; `about` is the device of the sentences.
    """

    title: str
    machines: tuple[str, ...]
    commits: tuple[str, ...]
    measured: str
    counts: str
    remarks: tuple[str, ...]
    about: str
    sentences: tuple[str, ...]

    def json(self) -> str:
        """Return the overview as JSON, which the page contains for the gallery."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False)


def overview(data: Frames, sentences: Sequence[str]) -> Overview:
    """Return the overview of some results, with the sentences of their first screen, which are about one device."""
    commits = pd.concat([data.costs["commit"], data.runs["commit"]])
    known = tuple(sorted({commit[:10] for commit in commits if commit}))
    machines = tuple(opening_order(data))
    return Overview(
        title=TITLE,
        machines=machines,
        commits=known,
        measured=period(data),
        counts=counts(data),
        remarks=tuple(remarks(data)),
        about=machines[0] if machines else "",
        sentences=tuple(sentences),
    )


def citation(data: Frames, head: Overview) -> str:
    """Return how to cite this page: what was measured, with which version and commit, where and when."""
    versions = sorted({str(v) for v in pd.concat([data.costs["gcnn_impl"], data.runs["gcnn_impl"]]) if v})
    version = f"gcnn_impl {', '.join(versions)}" if versions else "gcnn_impl"
    several = "s" if len(head.commits) > 1 else ""
    commits = f", commit{several} {', '.join(head.commits)}" if head.commits else ""
    measured = f"measured {head.measured} on {'; '.join(head.machines)}"
    return f"{AUTHORS}: {head.title}. Report made by {version}{commits}; {measured}."


def bibtex(data: Frames, head: Overview) -> str:
    """Return the entry of this page, and that of the paper whose layers it measures, for BibTeX."""
    times = sorted(time for time in pd.concat([data.costs["measured_at"], data.runs["measured_at"]]) if time)
    year = f"  year = {{{times[-1][:4]}}},\n" if times else ""
    note, authors = (text.replace("_", r"\_") for text in (citation(data, head).partition(". ")[2], AUTHORS))
    return (
        f"@misc{{gcnn-report,\n  author = {{{{{authors}}}}},\n  title = {{{head.title}}},\n{year}"
        f"  note = {{{note}}},\n}}\n\n{PAPER}"
    )


def device(data: Frames) -> str:
    """Name the device of the results of one machine, and the machine around a GPU."""
    row = pd.concat([data.costs, data.runs]).iloc[0]
    quota = None if pd.isna(row["cpu_quota"]) else row["cpu_quota"]
    cpu = device_name({**row, "device": "cpu"})
    cores = cores_text({"cores": general(row["cores"]), "cpu_quota": quota})
    if row["device"] == "cpu":
        return f"Device: the processor {cpu}, {cores} cores."
    return f"Device: the GPU {device_name(row)}, in a machine with {cpu}, {cores} cores."


# The rule of `opening_order`.
OPENING = "Shown first: a GPU that has results for its base point, or else the device with the most records."


def counts(data: Frames) -> str:
    """Count the records, in words."""
    statuses = pd.concat([data.costs["status"], data.runs["status"]]).value_counts()
    words = ", ".join(f"{number} {spaced(status)}" for status, number in statuses.items())
    costs, runs = plural(len(data.costs), "cost record"), plural(len(data.runs), "training run")
    return f"{costs} and {runs}: {words}."


def subject(data: Frames) -> str:
    """Name the kinds of layers and of networks that have records, and count users' own."""
    costs, done = data.costs[data.costs["status"] == "ok"], data.runs[data.runs["status"] == "ok"]
    layers, networks = costs[costs["layer"] == "conv"], pd.concat([costs[costs["layer"] != "conv"], done])
    factories = networks["network"].fillna(networks["implementation"]) if len(networks) else pd.Series(dtype=object)
    parts = [_kinds("layers", layers, layers["implementation"]), _kinds("networks", networks, factories)]
    text = " and ".join(filter(None, parts)) or "layers and networks"
    return f"{text[0].upper()}{text[1:]}"


def _kinds(noun: str, rows: pd.DataFrame, factories: pd.Series) -> str:
    """Return the noun with the variants in brackets: `layers (plain, full and 1 of a user)`; empty without rows."""
    if rows.empty:
        return ""
    own = rows["variant"] == "custom"
    of_users = factories[own].nunique()
    names = in_order(rows.loc[~own, "variant"]) + [f"{of_users} of a user"] * bool(of_users)
    return f"{noun} ({listing(names)})"


def period(data: Frames) -> str:
    """Return when the results were measured, in words."""
    times = pd.concat([data.costs["measured_at"], data.runs["measured_at"]])
    days = sorted(time[:10] for time in times if time)
    if not days:
        return "at an unknown time"
    return f"on {days[0]}" if days[0] == days[-1] else f"from {days[0]} to {days[-1]}"


def remarks(data: Frames) -> list[str]:
    """Return what a reader must know before trusting the numbers of this report."""
    both = pd.concat([data.costs, data.runs])
    found = []
    if len(data.machines) > 1:
        found.append(
            f"Results of {len(data.machines)} devices: each has a part of its own, nothing is compared across them."
        )
    if (data.costs["noise"] == "noisy").any():
        found.append(f"{called_noisy(data.costs)} The section “Noise” of the report says why, and what would help.")
    most, between = data.runs["cores"] + OWN_LOAD, data.runs["load_between"].fillna(float("inf"))
    busy = (data.runs[["load_before", "load_after"]].max(axis=1) > most) & (between > most)
    if busy.any():
        same = "" if (data.runs["budget_unit"] == "seconds").any() else "; accuracies do not depend on it"
        found.append(
            f"{busy.sum()} of {plural(len(data.runs), 'training run')} ran at a load average of more than the number "
            f"of cores + {OWN_LOAD:g}: their seconds of training may be too long{same}. A "
            "study that trains several runs at once makes such a load itself."
        )
    commits = both["commit"].nunique()
    if commits > 1:
        found.append(f"The records come from {commits} commits; each case is shown with its newest record.")
    own = both[both["own_code"].fillna("") != ""]
    states = own.groupby(own["network"].fillna(own["implementation"]))["own_code"].nunique()
    if changed := sorted(states.index[states > 1]):
        found.append(
            f"The code of {listing(changed)} was changed between records: they are not of one layer or network."
        )
    if (both["dirty"] == "True").any():
        found.append("Some records were taken from a checkout with uncommitted changes.")
    return found
