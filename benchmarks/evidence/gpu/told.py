"""What was found, in words: a line for each part, the table, and the content of summary.json. Needs no torch."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from benchmarks.answers.differences import RESULTS_FLOOR, Differences, compare_results, explained
from benchmarks.answers.text_tables import left_columns
from benchmarks.cases.case import OURS
from benchmarks.evidence.gpu import findings
from benchmarks.evidence.gpu.cells import CASES, PASSES
from benchmarks.evidence.gpu.findings import Finding
from benchmarks.evidence.gpu.job import Job
from benchmarks.records.costs import successes
from benchmarks.records.record import Record
from benchmarks.records.store import RecordStore
from benchmarks.statistics.comparison import WORDS

MIB = 2**20
HEADING = ("part", "status", "seconds", "found")
LONGEST_LINE = 240


def table(jobs: Sequence[Job]) -> list[str]:
    """Return the lines of the table, and a line that names the parts that are not ok."""
    everything = findings.load(jobs[0].findings)
    rows = _rows(jobs, everything)
    bad = [f"{row[0]} ({row[1]})" for row in rows if row[1] != "ok"]
    return [*left_columns([HEADING, *rows]), f"not ok: {', '.join(bad)}" if bad else "all parts are ok"]


def summary(jobs: Sequence[Job]) -> dict[str, Any]:
    """Return the table as JSON, everything that was found, and the comparison of the operators in Triton."""
    everything = findings.load(jobs[0].findings)
    compared = compare_triton(jobs[0])
    return {
        "device": jobs[0].device,
        "scale": jobs[0].scale,
        "parts": [dict(zip(HEADING, row, strict=True)) for row in _rows(jobs, everything)],
        "triton": [] if compared is None else [_compared(row) for row in compared.rows],
        "triton_in_words": [] if compared is None else explained(compared),
        "networks": network_rows(jobs[0]),
        "findings": everything,
    }


def _rows(jobs: Sequence[Job], everything: list[Finding]) -> list[tuple[str, str, str, str]]:
    return [_row(job, findings.latest(everything, job.part)) for job in jobs]


def _row(job: Job, found: Sequence[Finding]) -> tuple[str, str, str, str]:
    end = found[-1] if found and "status" in found[-1] else {"status": "not run", "reason": ""}
    error = next((finding["error"] for finding in found if "error" in finding), end["reason"])
    own = [finding for finding in found if not finding.keys() & {"status", "error"}]
    try:
        line = LINES[job.part](job, own) if found else ""
    except Exception as problem:  # a part that was killed may leave findings of a form that its line does not expect
        line = f"no line: {type(problem).__name__}: {problem}"
    reason = "" if end["status"] == "ok" else str(error)
    words = "; ".join(filter(None, (reason, line)))[:LONGEST_LINE]
    return job.part, end["status"], f"{end['seconds']:.0f}" if "seconds" in end else "–", words


def of_correctness(job: Job, found: Sequence[Finding]) -> str:
    """Name the wrong comparisons, the largest error of each format, and the operators in Triton that ran."""
    compared = [finding for finding in found if "check" in finding]
    wrong = [finding for finding in compared if finding["wrong"]]
    largest: dict[str, float] = {}
    for finding in compared:
        for error in finding.get("errors", {}).values():
            largest[finding["format"]] = max(largest.get(finding["format"], 0.0), float(error))
    names = ", ".join(f"{f['check']} {f['variant']} {f['group']} {f['format']}{' Triton' * f['triton']}" for f in wrong)
    ran: list[str] = next((finding["operators_in_triton"] for finding in found if "operators_in_triton" in finding), [])
    errors = ", ".join(f"{name} {error:.1e}" for name, error in largest.items())
    said = f"{len(compared)} compared, {len(wrong)} wrong{': ' * bool(wrong)}{names}"
    return f"{said}; largest error {errors or '–'}; Triton: {', '.join(ran) or 'no operator'}"


def of_layers(job: Job, found: Sequence[Finding]) -> str:
    """Name the times of the base point."""
    records = _measured(job)
    said = []
    for case in CASES[job.part](job.device, job.scale):
        if case.direction == PASSES[0] and case.variant in ("separable", "full", "plain") and case.id in records:
            graphed = " graphed" * (case.execution == "graphed")
            said.append(f"{case.variant}{graphed} {_milliseconds(records[case.id])}")
    return f"training pass: {', '.join(said) or '–'}; {_counts(found)}"


def of_network(job: Job, found: Sequence[Finding]) -> str:
    """Name time, images a second and peak memory of a training step."""
    rows = [row for row in network_rows(job) if row["direction"] == "training_step"]
    said = [
        f"{row['variant']} {row['dtype']} {row['execution']} {row['milliseconds']:.3g} ms, "
        f"{row['images_per_second']:,.0f} images/s, {row['peak_mib'] or 0:.3g} MiB"
        for row in rows
    ]
    return f"step: {'; '.join(said[:3]) or '–'}; {_counts(found)}"


def network_rows(job: Job) -> list[dict[str, Any]]:
    """Return time, throughput and memory of each network that was measured."""
    records, rows = _measured(job), []
    for case in CASES["network"](job.device, job.scale):
        if (record := records.get(case.id)) is not None:
            seconds, peak = record["seconds"]["median"], (record["memory"] or {}).get("peak_bytes")
            axes = {axis: getattr(case, axis) for axis in ("variant", "direction", "execution", "dtype", "batch_size")}
            costs = {"milliseconds": 1e3 * seconds, "images_per_second": case.batch_size / seconds}
            rows.append({**axes, **costs, "peak_mib": None if peak is None else peak / MIB})
    return rows


def compare_triton(job: Job) -> Differences | None:
    """Compare the records with the operators in Triton (B) with those without (A); None if there are none."""
    a, b = (_costs(RecordStore(folder).load()) for folder in (job.results, job.results_triton))
    ids = {record["id"] for record in b}
    a = [record for record in a if record["id"] in ids]
    return compare_results(a, b, RESULTS_FLOOR) if a and b else None


def of_triton(job: Job, found: Sequence[Finding]) -> str:
    """Say how many cases are faster or slower with the operators in Triton, and the ratio of each."""
    compared = compare_triton(job)
    if compared is None:
        return f"nothing to compare; {_counts(found)}"
    words = Counter(row.comparison.word for row in compared.rows if row.comparison)
    ratios = sorted(row.comparison.ratio for row in compared.rows if row.comparison)
    spread = f", B / A {ratios[0]:.2f} to {ratios[-1]:.2f}" if ratios else ""
    return f"{', '.join(f'{words[word]} {word}' for word in WORDS)}{spread}; {_counts(found)}"


def of_peers(job: Job, found: Sequence[Finding]) -> str:
    """Name the peers' times of a training pass, divided by ours."""
    records, said = _measured(job), []
    for case in CASES[job.part](job.device, job.scale):
        ours = records.get(replace(case, implementation=OURS, kernels="").id)
        if case.foreign and case.direction == PASSES[0] and case.id in records and ours is not None:
            ratio = records[case.id]["seconds"]["median"] / ours["seconds"]["median"]
            compiled = " compiled" * (case.execution == "compiled")
            said.append(f"{case.implementation} {case.variant}{compiled} {ratio:.2f}")
    return f"training pass / ours: {', '.join(said) or '–'}; {_counts(found)}"


def of_training(job: Job, found: Sequence[Finding]) -> str:
    """Name the accuracies."""
    runs = [finding for finding in found if "test_accuracy" in finding]
    said = [
        f"{run['variant']} {100 * run['test_accuracy']:.1f} % ({run['epochs']} epochs)"
        if run["test_accuracy"] is not None
        else f"{run['variant']} {run['outcome']}: {run['message']}"
        for run in runs
    ]
    return f"{', '.join(said) or '–'} after {runs[0]['seconds']:g} s each" if runs else "no network was trained"


def of_profile(job: Job, found: Sequence[Finding]) -> str:
    """Name launches, idle time and the share of the copy's rate."""
    said = [
        f"{f['variant']} {f['direction']}: {f['launches']:.0f} launches, idle {f['idle_share']:.0%}, "
        f"{f['floor_share_of_memory'] or 0:.0%} of the memory's rate"
        for f in found
        if "launches" in f
    ]
    return "; ".join(said) or "–"


def of_algorithms(job: Job, found: Sequence[Finding]) -> str:
    """Name the fastest algorithm of each layer, and its time as a share of the direct convolution's."""
    by_case: dict[str, dict[str, float]] = {}
    for f in found:
        if "seconds" in f:
            by_case.setdefault(f["case"], {})[f["algorithm"]] = f["seconds"]
    said = []
    for case, seconds in by_case.items():
        best = min(seconds, key=lambda name: seconds[name])
        said.append(f"{case}: {best}" + (f" {seconds[best] / seconds['direct']:.2f}" if "direct" in seconds else ""))
    return "; ".join(said) or "–"


def of_batches(job: Job, found: Sequence[Finding]) -> str:
    """Name the largest batch of a training step, and the batch with the most images a second."""
    said = [
        f"{f['variant']}: largest {f['largest']} ({f['ended_by']}), most images/s at {f['fastest']}: "
        f"{f['images_per_second'] or 0:,.0f}"
        for f in found
        if "largest" in f
    ]
    return "; ".join(said) or "–"


def of_more(job: Job, found: Sequence[Finding]) -> str:
    """Say how many cases were measured."""
    return _counts(found)


def of_page(job: Job, found: Sequence[Finding]) -> str:
    """Name the size of the page."""
    return "".join(f"{finding['bytes'] / MIB:.1f} MiB" for finding in found if "bytes" in finding)


LINES: dict[str, Callable[[Job, Sequence[Finding]], str]] = {
    "correctness": of_correctness,
    "layers": of_layers,
    "network": of_network,
    "triton": of_triton,
    "peers": of_peers,
    "training": of_training,
    "profile": of_profile,
    "algorithms": of_algorithms,
    "batches": of_batches,
    "more": of_more,
    "page": of_page,
}


def _measured(job: Job) -> dict[str, Record]:
    return successes(RecordStore(job.results).load())


def _costs(records: Iterable[Record]) -> list[Record]:
    return [record for record in records if record["kind"] == "cost"]


def _counts(found: Sequence[Finding]) -> str:
    names = ("measured", "failed", "skipped", "already_there", "left")
    counts = next((finding for finding in found if "measured" in finding), None)
    if counts is None:
        return "it ended before all cases were measured"
    words = [f"{counts[name]} {name.replace('_', ' ')}" for name in names if counts[name]]
    return f"of {counts['cases']} cases {', '.join(words)}"


def _compared(row: Any) -> dict[str, Any]:
    word = None if row.comparison is None else row.comparison.word
    ratio = None if row.comparison is None else row.comparison.ratio
    return {"case": row.label, "a": row.a, "b": row.b, "word": word, "ratio": ratio, "failure": row.failure}


def _milliseconds(record: Record) -> str:
    return f"{1e3 * record['seconds']['median']:.3g} ms"
