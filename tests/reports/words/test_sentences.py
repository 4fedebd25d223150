"""Every generated sentence with numbers, recomputed from the raw records with numpy alone.

What is recomputed here uses no frames, no arithmetic and no formatting of `reports`.
"""

import copy
import math
from decimal import Decimal

import numpy as np
import pytest
from scipy import stats

from reports.frames.frames import anchored, frames
from reports.page.part import Part, parts

from ..conftest import GPU, cost_record, every_record, gpu_records, training_record, twin_record, undrawn_panels

PASSES = {"forward": "forward", "forward_backward": "forward + backward"}
VARIANTS = ("plain", "lifting", "full", "separable")
SHAPE = ("channels", "batch_size", "image_size", "kernel_size")


def scattered(records, seed=20300102):
    """Return the made-up sweep with a random factor on every number, and with the fields of newer records."""
    rng, of_operators = np.random.default_rng(seed), np.random.default_rng(seed + 1)
    made = [copy.deepcopy(record) for record in records if record["kind"] != "twin"]
    for record in made:
        if record["kind"] == "cost" and record["status"] == "ok":
            factor = float(np.exp(rng.normal(0, 0.25)))
            seconds = record["seconds"]
            for name in ("median", "q1", "q3"):
                seconds[name] *= factor
            below, above = rng.uniform(0.9, 0.99), rng.uniform(1.01, 1.1)
            seconds["rounds"] = [[x * factor * rng.uniform(0.98, 1.02) for x in xs] for xs in seconds["rounds"]]
            medians = np.log([np.median(xs) for xs in seconds["rounds"]])
            reach = stats.t.ppf(0.975, len(medians) - 1) * stats.sem(medians)  # an interval includes how rounds differ
            seconds["ci_low"] = seconds["median"] * min(below, math.exp(-reach))
            seconds["ci_high"] = seconds["median"] * max(above, math.exp(reach))
            for row in record["operators"]["rows"]:
                row["seconds"] *= of_operators.uniform(0.3, 3)
            of_pass = record["roofline"]["macs_per_second"] * seconds["median"]
            record["operators"]["rows"][0]["macs"] = of_pass * of_operators.choice(
                [1.0, of_operators.uniform(0.2, 0.9)]
            )
            record["memory"]["peak_bytes"] = int(record["memory"]["peak_bytes"] * rng.uniform(0.7, 1.3))
            if record["macs"]["kernel_generation"]:
                record["stages"]["kernel_generation_share"] *= rng.uniform(0.1, 5)
                record["stages"]["kernel_generation"] *= of_operators.uniform(0.3, 3)
            record["roofline"]["fraction"] = rng.uniform(0.01, 1.5)
            record["roofline"]["arithmetic_intensity"] = rng.uniform(1, 40)
            if record["equivariance_error"] is not None:
                record["equivariance_error"] *= rng.uniform(0.1, 2)
        if record["kind"] == "training":
            run = record["run"]
            weak = 4 if (run["variant"], run["resolution"]) == ("full", 2) else 1  # so that other networks are better
            record["test_accuracy"] = 1 - (1 - record["test_accuracy"]) * rng.uniform(0.7, 1.4) * weak
            record["macs_per_image"]["convolution"] *= run["resolution"] ** (2 if run["variant"] == "full" else 1)
            for epoch in record["epochs"]:
                epoch["validation_accuracy"] *= rng.uniform(0.9, 1)
                epoch["macs"] *= record["run"]["resolution"] ** 2
                epoch["seconds"] *= rng.uniform(0.95, 1.05)
            for epoch, least in ((0, 0.2), (-1, 0.5)):
                forms = {form: rng.uniform(least, least + 0.4) for form in ("separable", "gseparable")}
                skip = {"separable": 1.0, "gseparable": 1.0}  # a kernel of one tap
                record["epochs"][epoch]["redundancy"] = {"conv": forms, "blocks.1.skip": skip}
            turned = 0.4 if run["resolution"] in (1, 2) else 1e-7  # these have no quarter turn
            record["epochs"][-1]["equivariance_error"] = turned * rng.uniform(0.5, 1)
    scarce = {"kind": "too_few_samples", "detail": "12 samples in 3 rounds; wanted: 20 in 3", "remedy": "more time"}
    made[1]["noise"] = {"verdict": "noisy", "findings": [scarce]}
    firsts = {case_of(record): record for record in made if record["kind"] == "cost"}
    for variant, factors in (("full", (1.02, 0.99, 1.01)), ("lifting", (0.98, 1.0, 1.015))):
        first = cost_record(variant=variant)["case"] | {"device": records[0]["case"]["device"]}
        made.append(twin_record(firsts[tuple(first.values())], *factors))
    return made


def case_of(record):
    return tuple(record["case"].values())


OTHER_GPU = "Another GPU"
HOST = "Made-up CPU, 2 cores"


@pytest.fixture(
    scope="module",
    params=[HOST, f"{GPU} in {HOST}", f"{OTHER_GPU} in {HOST}"],
    ids=["processor", "gpu", "another-gpu"],
)
def machine(request):
    """Return one of the three devices whose results are there."""
    return request.param


@pytest.fixture(scope="module")
def everything():
    """Return the records of all devices, by the device's name."""
    gpus = {f"{gpu} in {HOST}": scattered(gpu_records(gpu), seed) for seed, gpu in enumerate((GPU, OTHER_GPU))}
    return {HOST: scattered(every_record()), **gpus}


@pytest.fixture(scope="module")
def made(everything, machine):
    return everything[machine]


@pytest.fixture(scope="module")
def every_part(everything):
    """Return the parts of the page of all devices."""
    records = [record for records in everything.values() for record in records]
    with undrawn_panels():
        return parts(records, anchored(frames(records)))


@pytest.fixture(scope="module")
def said(every_part, machine):
    """Return the texts of one device's part: the sentences of the first screen, and the takeaway of every figure."""
    [found] = [part for part in every_part if part.title == machine]
    found_id = found.id
    [study] = found.studies
    figures = {
        figure.key.removeprefix(f"{found_id}-"): figure.takeaway
        for section in found.figures.values()
        for figure in section
    }
    headline = {sentence.text.split(":")[0].split(",")[0]: sentence.text for sentence in found.sentences}
    return {
        **figures,
        **headline,
        "bends": found.bends,
        "target": study.target_words,
        "undecided": found.undecided_words,
    }


# --- Numbers as the page writes them, implemented a second time.


def digits(value, n=3):
    return f"{Decimal(f'{value:.{n - 1}e}'):,f}"


def in_units(value, units):
    name, size = next(((name, size) for name, size in units if value >= size), units[-1])
    return f"{digits(value / size)} {name}".strip()


def seconds(value):
    return in_units(value, [("s", 1), ("ms", 1e-3), ("µs", 1e-6)])


def count(value):
    return in_units(value, [("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3), ("", 1)])


def percent(value, decimals=1):
    least = 10.0**-decimals
    return f"< {least:g} %" if 0 < 100 * value < least else f"{100 * value:.{decimals}f} %"


def signed(value, form="{:.1f}"):
    text = form.format(round(value, 1) + 0.0)
    return text.replace("-", "−")


def joined(parts):
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def interval(value, low, high):
    return f"{digits(value)}× [{digits(low)}, {digits(high)}]"


# --- Records, selected by their settings.


def costs(made, **wanted):
    """Return the ok records of our layers, as they are used by default."""
    found = []
    for record in made:
        if record["kind"] == "cost" and record["status"] == "ok":
            case = record["case"]
            usual = case["kernels"] == ("cached" if case["direction"] == "forward" else "generated")
            usual = usual and (case["dtype"], case["execution"]) == ("float32", "eager")
            if case["implementation"] == "gcnn_impl" and usual and all(case[k] == v for k, v in wanted.items()):
                found.append(record)
    return found


def base(made, **wanted):
    """Return one layer's records at 16 channels, batch 16 and |H| = 8 (the base point of the sweep), by variant."""
    rows = costs(made, layer="conv", channels=16, batch_size=16, **wanted)
    return {r["case"]["variant"]: r for r in rows if r["case"]["resolution"] == 8 or r["case"]["variant"] == "plain"}


def runs(made):
    found = {}
    for record in made:
        if record["kind"] == "training":
            found.setdefault((record["run"]["variant"], record["run"]["resolution"]), []).append(record)
    return found


def network(variant, resolution):
    return "plain" if variant == "plain" else f"{variant} |H| = {resolution}"


def macs(record):
    generation = 0 if record["case"]["direction"] == "forward" else record["macs"]["kernel_generation"]
    return record["macs"]["convolution"] + generation


def mover(above, below):
    """Return the ratio of two medians with its 95 % interval (Zou & Donner 2008, on logarithms)."""
    a, la, ua = (math.log(above["seconds"][name]) for name in ("median", "ci_low", "ci_high"))
    b, lb, ub = (math.log(below["seconds"][name]) for name in ("median", "ci_low", "ci_high"))
    low, high = a - b - math.hypot(a - la, ub - b), a - b + math.hypot(ua - a, b - lb)
    return math.exp(a - b), math.exp(low), math.exp(high)


def log_ratios(first, second):
    a, b = ([np.log(np.median(samples)) for samples in record["seconds"]["rounds"]] for record in (first, second))
    return np.array(b) - np.array(a)


def floor(made, comparisons):
    """Return the noise floor: a t quantile times the root mean square of twins' log ratios / √rounds, as a fraction."""
    firsts = {record["id"]: record for record in made if record["kind"] == "cost"}
    twins = [record for record in made if record["kind"] == "twin"]
    differences = np.concatenate([log_ratios(firsts[twin["case_id"]], twin) for twin in twins])
    rounds = len(differences) / len(twins)
    quantile = stats.t.ppf(1 - min(0.005, 0.05 / comparisons) / 2, len(differences))
    return math.expm1(quantile * math.sqrt(np.mean(differences**2) / rounds))


def word(first, second, least):
    """Return the verdict on the second record, compared with the first in the same rounds."""
    differences = log_ratios(first, second)
    change = differences.mean()
    reach = stats.t.ppf(0.995, len(differences) - 1) * stats.sem(differences)
    if abs(change) > max(reach, math.log1p(least)):
        return "slower" if change > 0 else "faster"
    return "same" if abs(change) + reach <= math.log1p(max(least, 0.02)) else "ambiguous"


def speedups(made):
    """Return pairs of full and separable in the same setting, by layer and pass."""
    found = {}
    for layer in ("conv", "resnet"):
        for direction in PASSES:
            rows = costs(made, layer=layer, direction=direction)
            key = {}
            for record in rows:
                setting = tuple(record["case"][name] for name in (*SHAPE, "resolution"))
                key.setdefault(setting, {})[record["case"]["variant"]] = record
            pairs = [(pair["full"], pair["separable"]) for pair in key.values() if {"full", "separable"} <= set(pair)]
            found[layer, direction] = pairs
    return found


def tally(words, subject, rival):
    order = {"faster": "faster", "slower": "slower", "same": "the same", "ambiguous": "ambiguous"}
    counts = [f"{name} in {words.count(each)}" for each, name in order.items() if each in words]
    return f"Compared with {rival} in {len(words)} settings, {subject} is called {joined(counts)}."


# --- The sentences.


def test_cost(made, said):
    parts = []
    for direction, words in (("forward", "inference"), ("forward_backward", "a training pass")):
        here = base(made, direction=direction)
        ratios = [f"{interval(*mover(here[v], here['plain']))} for {v}" for v in ("lifting", "full", "separable")]
        parts.append(f"{joined(ratios)} in {words} (plain: {seconds(here['plain']['seconds']['median'])})")
    assert said["Cost"] == (
        f"Cost: one layer takes, compared with a plain convolution of as many channels, {'; '.join(parts)}."
    )


def ran(made):
    """Return where passes ran."""
    return "1 thread" if made[0]["case"]["device"] == "cpu" else "on the GPU"


def test_saving(made, said):
    parts = []
    for what, layer, width in (
        ("one separable layer is", "conv", 16),
        (f"a separable network (|H| = 8, C = 8, batch 64, 16 × 16 pixels, {ran(made)}) is", "resnet", 8),
    ):
        least, texts = floor(made, 2), []
        for direction, name in PASSES.items():
            batch = 16 if layer == "conv" else 64
            rows = costs(made, layer=layer, direction=direction, channels=width, batch_size=batch, resolution=8)
            here = {record["case"]["variant"]: record for record in rows}
            full, separable = here["full"], here["separable"]
            saved = digits(macs(full) / macs(separable), 2)
            memory = digits(separable["memory"]["peak_bytes"] / full["memory"]["peak_bytes"], 2)
            called = word(full, separable, least)
            texts.append(
                f"{interval(*mover(full, separable))} as fast as full in {name} "
                f"({'' if called == 'faster' else f'{called}; '}{saved}× fewer MACs, {memory}× the memory)"
            )
        parts.append(f"{what} {joined(texts)}")
    assert said["Saving"] == f"Saving: {'; '.join(parts)}."


def test_gain(made, said, machine):
    found = runs(made)
    plain = {record["run"]["seed"]: record["test_accuracy"] for record in found["plain", 1]}
    values = np.array(list(plain.values()))
    reached = f"{100 * values.mean():.1f} ± {100 * values.std(ddof=1):.1f} %"
    parts = {}
    for variant in ("full", "separable"):
        ours = {record["run"]["seed"]: record["test_accuracy"] for record in found[variant, 8]}
        values = np.array(list(ours.values()))
        more = 100 * np.array([ours[seed] - plain[seed] for seed in plain])
        half = stats.t.ppf(0.975, len(more) - 1) * stats.sem(more)
        points = f"+{more.mean():.1f} [{signed(more.mean() - half)}, {signed(more.mean() + half)}]"
        text = f"{100 * values.mean():.1f} ± {100 * values.std(ddof=1):.1f} %"
        parts[f"{network(variant, 8)}: {points} ({text})"] = more.mean()
    device = machine.partition(" in ")[0].partition(",")[0]
    spread = f"(mean ± s.d.; 95 % intervals of the differences by seed: Student’s t, n = 3 seeds; trained on {device})"
    items = sorted(parts, key=lambda text: -parts[text])
    assert said["Gain"] == (
        "Gain, on the test images of rotated-digits: points more (+) or less (−) than plain, which reaches "
        f"{reached}: {'; '.join(items)} {spread}."
    )


@pytest.mark.parametrize(
    ("key", "what", "direction", "verb", "value"),
    [
        ("time-forward", "Forward time", "forward", "grows", lambda r: r["seconds"]["median"]),
        ("time-training", "Forward + backward time", "forward_backward", "grows", lambda r: r["seconds"]["median"]),
        ("memory-forward", "Forward peak memory", "forward", "grows", lambda r: r["memory"]["peak_bytes"]),
        ("macs", "Forward MACs", "forward", "grow", macs),
    ],
)
def test_growth(made, said, key, what, direction, verb, value):
    powers, unknown = [], []
    for variant in ("lifting", "full", "separable"):
        rows = costs(made, layer="conv", variant=variant, direction=direction, channels=16, batch_size=16)
        fit = stats.linregress(*(np.log([f(r) for r in rows]) for f in (lambda r: r["case"]["resolution"], value)))
        half = stats.t.ppf(0.975, len(rows) - 2) * fit.stderr
        if half > 0.5:
            unknown.append(variant)
        else:
            powers.append(f"{signed(fit.slope)}{f' ± {signed(half)}' if half >= 0.05 else ''} for {variant}")
    expected = [f"{what} {verb} with |H| to the power {joined(powers)} (n = 4 resolutions)."] if powers else []
    if unknown:
        name = what[0].lower() + what[1:]
        expected.append(f"How {name} {verb} with |H| for {joined(unknown)}, 4 resolutions do not tell.")
    assert said[key] == " ".join(expected)


def test_bends(made, said):
    names = {"resolution": "group resolution |H|", "channels": "width", "batch_size": "batch size"}
    for sentence, (direction, words) in zip(said["bends"], PASSES.items(), strict=True):
        found = []
        for axis, name in names.items():
            for variant in VARIANTS:
                if axis == "resolution" and variant == "plain":
                    continue
                fixed = {"channels": 16, "batch_size": 16, "resolution": 1 if variant == "plain" else 8}
                del fixed[axis]
                rows = costs(made, layer="conv", variant=variant, direction=direction, **fixed)
                first, last = (choose(rows, key=lambda r: r["case"][axis]) for choose in (min, max))
                asked = macs(last) / macs(first)
                power, low, high = (math.log(time) / math.log(asked) for time in mover(last, first))
                time = last["seconds"]["median"] / first["seconds"]["median"]
                ends = f"{first['case'][axis]} to {last['case'][axis]}"
                bounds = f"{digits(power, 2)} [{digits(low, 2)}, {digits(high, 2)}]".replace("-", "−")
                text = f"for {variant} by {name} ({ends}: MACs {digits(asked, 2)}×, time {digits(time, 2)}×)"
                found.append((power, low, high, f"{variant} by {name}", f"{bounds} {text}"))
        untold = len(found)
        found = sorted(line for line in found if (line[2] - line[1]) / 2 <= 0.5)
        untold -= len(found)
        left_out = (
            f" Left out: {untold} line{'' if untold == 1 else 's'} with wider intervals than ± 0.5." if untold else ""
        )
        least = [line for _, low, _, line, _ in found[1:] if low <= found[0][2]]
        most = [line for _, _, high, line, _ in found[-2::-1] if high >= found[-1][1]]
        near = [f" (its interval overlaps with {joined(lines)})" if lines else "" for lines in (least, most)]
        verb = "grows" if found[0][0] > 0 else "changes"
        assert sentence == (
            f"{words.capitalize()}: from end to end of an axis, time {verb} with the MACs to the power {found[0][4]}, "
            f"the least{near[0]}, up to {found[-1][4]}, the most{near[1]}.{left_out}"
        )


def test_relative(made, said):
    ratios = []
    for direction, words in PASSES.items():
        here = base(made, direction=direction)
        ratios += [(mover(here[v], here["plain"])[0], f"({v}, {words})") for v in VARIANTS if v != "plain"]
    low, high = (f"{digits(value, 2)}× {where}" for value, where in (min(ratios), max(ratios)))
    found = runs(made)
    means = {
        name: np.mean([r["test_accuracy"] for r in found[name]])
        for name in (("plain", 1), ("full", 8), ("separable", 8))
    }
    best = max(means, key=means.get)
    alike = [network(*name) for name in means if name != best and not shown(found[best], found[name], 0.0, 21)]
    assert said["relative"] == (
        f"At equal width and |H| = 8, a layer costs from {low} to {high} the time of a plain convolution; the highest "
        f"test accuracy is that of {network(*best)} ({percent(means[best])}); not told apart from it by the "
        f"corrected test: {joined(alike) if alike else 'none'} (n = 3 seeds)."
    )


def shown(ours, theirs, threshold, comparisons):
    """Tell whether a paired t test shows that the accuracy of some runs exceeds that of others by a threshold.

    With a negative number of comparisons: whether it shows that the accuracy does not.
    """
    a, b = ({r["run"]["seed"]: r["test_accuracy"] for r in records} for records in (ours, theirs))
    differences = np.array([a[seed] - b[seed] for seed in sorted(a)])
    error = max(differences.std(ddof=1), 1 / 497 / math.sqrt(12)) / math.sqrt(len(differences))
    p = 2 * stats.t.sf(abs(differences.mean() - threshold) / error, len(differences) - 1)
    above = differences.mean() > threshold
    return bool((above if comparisons > 0 else not above) and p < 0.05 / abs(comparisons))


def networks(made):
    """Return, for each network, its runs, accuracy, seconds an image with interval, peak memory and MACs."""
    found = {}
    for (variant, resolution), records in runs(made).items():
        shape = {"layer": "resnet", "variant": variant, "resolution": resolution}
        [forward] = costs(made, **shape, direction="forward")
        [training] = costs(made, **shape, direction="forward_backward")
        accuracies = np.array([record["test_accuracy"] for record in records])
        found[variant, resolution] = {
            "runs": records,
            "mean": accuracies.mean(),
            "text": f"{100 * accuracies.mean():.1f} ± {100 * accuracies.std(ddof=1):.1f} %",
            "time": tuple(forward["seconds"][name] / 64 for name in ("ci_low", "median", "ci_high")),
            "memory": (training["memory"]["peak_bytes"],) * 3,
            "MACs": (records[0]["macs_per_image"]["convolution"],) * 3,
        }
    return found


def test_choice(made, said):
    found = networks(made)
    best = max(found, key=lambda name: found[name]["mean"])

    def near(name):
        return shown(found[name]["runs"], found[best]["runs"], -0.01, len(found) - 1)

    def words(name):
        low, middle, high = found[name]["time"]
        unit = 1e-3 if middle >= 1e-3 else 1e-6
        ends = f"[{digits(low / unit)}, {digits(high / unit)}]"
        time = f"{digits(middle / unit)} {ends} {'ms' if unit == 1e-3 else 'µs'}"
        return f"{network(*name)} ({found[name]['text']}, {time} an image)"

    chosen = min([best, *filter(near, found)], key=lambda name: found[name]["time"][1])
    cheaper = [name for name in sorted(found) if found[name]["time"][1] < found[chosen]["time"][1] and not near(name)]
    far = [name for name in cheaper if shown(found[name]["runs"], found[best]["runs"], -0.01, 1 - len(found))]
    lower = [name for name in cheaper if name not in far and in_every_seed_below(found[name], found[best])]
    undecided = [name for name in cheaper if name not in far + lower]
    text = f"take {words(chosen)}, "
    if chosen == best:
        text += "which has the highest mean accuracy; none cheaper by time is shown to be within 1 point of it"
    else:
        ratio, low, high = mover(*(timed(found[name]) for name in (best, chosen)))
        text += (
            "the cheapest by time that is shown to be within 1 point of the highest mean accuracy, that of "
            f"{words(best)}, which costs {digits(ratio)}× [{digits(low)}, {digits(high)}] as much"
        )
    are = {True: "cheaper network is", False: "cheaper networks are"}
    texts = [text]
    if far:
        texts.append(
            f"{'This' if len(far) == 1 else 'These'} {are[len(far) == 1]} shown to be more than 1 point less accurate: "
            f"{joined([network(*name) for name in far])}"
        )
    if lower:
        texts.append(
            f"{'This' if len(lower) == 1 else 'These'} {are[len(lower) == 1]} more than 1 point less accurate in every "
            f"seed, though the test does not show it: {joined([network(*name) for name in lower])}"
        )
    if undecided:
        texts.append(
            f"The seeds do not decide whether {'this' if len(undecided) == 1 else 'these'} {are[len(undecided) == 1]} "
            f"within 1 point of the highest mean: {joined([network(*name) for name in undecided])}"
        )
    assert (
        said["Choice"]
        == f"Choice, by the runs on rotated-digits, 4 epochs, equal widths: {'. '.join(texts)} (n = 3 seeds)."
    )


def timed(mine):
    """Return the time of a network as that of a record."""
    return {"seconds": dict(zip(("ci_low", "median", "ci_high"), mine["time"], strict=True))}


def in_every_seed_below(mine, best):
    """Tell whether every seed of one network is more than a point less accurate than that of another."""
    differences = [a["test_accuracy"] - b["test_accuracy"] for a, b in zip(mine["runs"], best["runs"], strict=True)]
    return all(round(difference, 9) < -0.01 for difference in differences)


def test_direct_comparison(made, said):
    found, items = networks(made), []
    for ours, theirs in ((("full", 8), ("separable", 8)), (("separable", 8), ("plain", 1))):
        a, b = ([r["test_accuracy"] for r in found[name]["runs"]] for name in (ours, theirs))
        gap = 100 * (np.array(a) - np.array(b))
        reach = stats.t.ppf(0.975, 2) * max(gap.std(ddof=1), 100 / 497 / math.sqrt(12)) / math.sqrt(3)
        better, worse = (
            shown(*(found[name]["runs"] for name in names), 0.0, 21) for names in ((ours, theirs), (theirs, ours))
        )
        alone = "" if abs(gap.mean()) < reach else " among all pairs"
        word = "more accurate" if better else "less accurate" if worse else f"not told apart{alone}"
        ends = f"[{signed(gap.mean() - reach)}, {signed(gap.mean() + reach)}]"
        points = f"{'+' if gap.mean() >= 0 else ''}{signed(gap.mean())} {ends}"
        cost = interval(*mover(*(timed(found[name]) for name in (ours, theirs))))
        items.append(f"{network(*ours)} compared with {network(*theirs)}: {points}, {word}, at {cost} the time")
    assert said["Direct comparison"] == (
        "Direct comparison: points of test accuracy by which the first network is above (+) or below (−) the second, "
        f"trained alike: {'; '.join(items)} (n = 3 seeds; 95 % intervals of single differences by seed; words: the "
        "test corrected for all pairs)."
    )


def test_generation_share(made, said):
    parts = []
    for variant in ("lifting", "full", "separable"):
        shares = {}
        for batch in (1, 64):
            [record] = costs(
                made, layer="conv", variant=variant, direction="forward", channels=16, resolution=8, batch_size=batch
            )
            generation, convolution = (record["macs"][name] for name in ("kernel_generation", "convolution"))
            shares[batch] = percent(generation / (generation + convolution))
        parts.append(f"{shares[1]} for {variant} at batch 1 and {shares[64]} at batch 64")
    assert said["split"] == f"Of the MACs of a forward pass, generating its kernels takes {'; '.join(parts)}."


def test_realised(made, said):
    found = speedups(made)
    least = floor(made, sum(len(pairs) for pairs in found.values()))
    parts, words = [], []
    for (layer, direction), pairs in found.items():
        shares = [math.log(mover(a, b)[0]) / math.log(macs(a) / macs(b)) for a, b in pairs]
        low, middle, high = (f"{100 * share:.0f} %".replace("-", "−") for share in np.quantile(shares, (0, 0.5, 1)))
        name = {"conv": "one layer", "resnet": "network"}[layer] + ", " + PASSES[direction]
        parts.append(f"{name}: {middle} [{low} to {high}], n = {len(pairs)}")
        words += [word(full, separable, least) for full, separable in pairs]
    assert said["realised"] == (
        "Share of the MAC saving that shows up as time, log(time ratio) / log(MAC ratio), median and range: "
        f"{'; '.join(parts)}. "
        f"{tally(words, 'separable', 'full')}"
    )


def rivals(made):
    """Return pairs of our layer and torch's in the same setting, by what is unusual in number format and execution."""
    timed = [record for record in made if record["kind"] == "cost" and record["status"] == "ok"]
    ours = {tuple(record["case"].items()): record for record in timed}
    found = {}
    for record in (record for record in timed if record["case"]["implementation"] == "torch"):
        case = record["case"]
        unusual = ", ".join({case["dtype"], case["execution"]} - {"float32", "eager"})
        found.setdefault(unusual, []).append((ours[tuple((case | {"implementation": "gcnn_impl"}).items())], record))
    return dict(sorted(found.items()))


def test_peers(made, said, machine):
    found = rivals(made)
    assert list(found) == ([""] if machine == HOST else ["", "bfloat16", "compiled", "graphed", "tf32"])
    least = floor(made, sum(map(len, found.values())))
    parts = []
    for unusual, pairs in found.items():
        ratios = [math.exp(log_ratios(*pair).mean()) for pair in pairs]
        parts.append(
            f"torch{f' ({unusual})' if unusual else ''} takes {digits(min(ratios), 2)}× to {digits(max(ratios), 2)}× "
            f"the time of ours. {tally([word(*pair, least) for pair in pairs], 'it', 'ours')}"
        )
    assert said["peers"] == " ".join(parts)


def test_undecided(made, said):
    found = speedups(made)
    pairs = [pair for of_pass in found.values() for pair in of_pass]
    words = [word(*pair, floor(made, len(pairs))) for pair in pairs]
    theirs = [pair for of_setting in rivals(made).values() for pair in of_setting]
    words += [word(*pair, floor(made, len(theirs))) for pair in theirs]
    assert said["undecided"] == (
        f"{words.count('ambiguous')} of {len(words)} comparisons of times could not be decided by the rule in "
        "“Method and limits”."
        if "ambiguous" in words
        else f"Each of {len(words)} comparisons of times was decided: faster, slower, or the same."
    )


def test_noise(made, said):
    judged = [record for record in made if record["kind"] == "cost" and record["status"] == "ok"]
    noisy = [record["noise"]["findings"] for record in judged if record["noise"]["verdict"] == "noisy"]
    scarce = sum({finding["kind"] for finding in findings} == {"too_few_samples"} for findings in noisy)
    assert (len(noisy), scarce) == (2, 1)
    firsts = {record["id"]: record for record in made if record["kind"] == "cost"}
    pairs = [log_ratios(firsts[twin["case_id"]], twin).mean() for twin in made if twin["kind"] == "twin"]
    place = ran(made).replace("1 thread", "on 1 thread")
    beyond = sum(abs(math.expm1(pair)) > floor(made, 1) for pair in pairs)
    times = [record["seconds"] for record in made if record["kind"] == "cost" and record["status"] == "ok"]
    halves = [(time["ci_high"] - time["ci_low"]) / 2 / time["median"] for time in times]
    assert said["noise"] == (
        f"The minimum detectable effect is {percent(floor(made, 1))} {place} (layers; {beyond} of 2 A/A pairs "
        f"{'differs' if beyond == 1 else 'differ'} by more): the same code, timed twice, should differ by more in 5 of "
        f"1000 cases. A single time is less certain: half of its 95 % interval is {percent(np.median(halves))} of it, "
        f"the median of {len(times)} cost records. {len(noisy)} of {len(judged)} cost records are called noisy: "
        f"{len(noisy) - scarce} because of the machine and {scarce} for too few samples alone (layers {place})."
    )


def test_stages(made, said):
    parts = []
    for direction, words in PASSES.items():
        here = base(made, direction=direction)
        shares = sorted(
            (record["stages"]["kernel_generation_share"], variant)
            for variant, record in here.items()
            if record["stages"]["kernel_generation_share"] is not None
        )
        alone = sorted((generating(r["stages"]), v) for v, r in here.items() if r["stages"]["kernel_generation"])
        made_of, shown_as = (
            " to ".join(f"{percent(s)} ({v})" for s, v in (found[0], found[-1])) for found in (shares, alone)
        )
        inference = direction == "forward"
        what = "finding them in the cache" if inference else "generating them, and the backward of that"
        bars = "" if inference else f"; generating alone, as the bars show it, takes {shown_as}"
        parts.append(f"{words.capitalize()}: making kernels ({what}) takes {made_of} of a whole pass{bars}.")
    assert said["stages"] == " ".join(parts)


def generating(stages):
    names = ("kernel_generation", "group_mixing", "spatial_convolution", "other", "backward", "optimiser")
    return stages["kernel_generation"] / sum(stages[name] or 0.0 for name in names)


def test_operators(made, said):
    told = []
    for direction, words in PASSES.items():
        largest, idle = [], []
        apart = ", calls in forward and backward apart," if direction != "forward" else ""
        here = base(made, direction=direction)
        for variant in VARIANTS:
            rows = here[variant]["operators"]["rows"]
            whole = sum(row["seconds"] for row in rows)
            named = [row for row in rows if "::" in row["operator"]]
            first = max(named, key=lambda row: row["seconds"])
            largest.append(f"{first['operator'].split('::')[1]} {percent(first['seconds'] / whole, 0)} ({variant})")
            idle.append((sum(row["seconds"] for row in rows if not row["calls"]) / whole, variant))
        ends = " to ".join(f"{percent(share)} ({variant})" for share, variant in (min(idle), max(idle)))
        told.append(
            f"{words.capitalize()}: the largest operators{apart} are {joined(largest)}; between operators {ends}."
        )
    assert said["operators"] == " ".join(told)


def test_memory_model(made, said):
    rows = costs(made)
    residuals = [r["memory"]["predicted_bytes"] / r["memory"]["peak_bytes"] - 1 for r in rows]
    furthest = rows[int(np.argmax(np.abs(residuals)))]["case"]
    low, high = (f"{100 * value:+.1f} %".replace("-", "−") for value in (min(residuals), max(residuals)))
    near = sum(abs(residual) <= 0.1 for residual in residuals)
    assert said["memory-parts"] == (
        f"The model’s prediction of the peak is within 10 % of {near} of {len(rows)} measured peaks (layers and "
        f"networks, on any number of threads), and off by {low} to {high} (the furthest for {furthest['variant']}, "
        f"{PASSES[furthest['direction']]})."
    )


def test_roofline(made, said):
    rows = [record for direction in PASSES for record in base(made, direction=direction).values()]
    defined, reached, less = [], [], []
    near = memory = above = 0
    for record in rows:
        roof, name = record["roofline"], (record["case"]["variant"], PASSES[record["case"]["direction"]])
        seconds_, macs_ = record["seconds"]["median"], record["operators"]["rows"][0]["macs"]
        share = macs_ / (roof["macs_per_second"] * seconds_)
        ceiling = min(roof["matrix_ceiling"], roof["memory_ceiling"] * roof["arithmetic_intensity"] * share)
        fraction = macs_ / seconds_ / ceiling
        defined.append((roof["fraction"], f"({', '.join(name)})"))
        reached.append((fraction, f"({', '.join(name)})"))
        less += [(share, ", ".join(name))] if share < 0.995 else []
        near, above = near + (0.5 <= fraction <= 1), above + (fraction > 1)
        memory += 0.5 <= fraction <= 1 and ceiling < roof["matrix_ceiling"]
    assert less  # else nothing is tested here
    ends, of_definition = (
        " to ".join(f"{percent(value, 0)} {where}" for value, where in (min(found), max(found)))
        for found in (reached, defined)
    )
    beyond = f" Above it, with fewer MACs than the definition: {above}." if above else ""
    shares = "; ".join(f"{percent(share, 0)} in {name}" for share, name in sorted(less))
    assert said["roofline"] == (
        f"By the MACs that run, a pass of one layer reaches {ends} of its roof. Limited by it (at 50 % or "
        f"more): {near - memory} of {len(rows)} passes by computing, {memory} by moving memory.{beyond} By the MACs of "
        f"the definition it is {of_definition}; of these MACs run {shares}."
    )


def test_equivariance(made, said):
    rows = [r for r in costs(made, direction="forward") if r["equivariance_error"] is not None]
    worst = max(rows, key=lambda r: r["equivariance_error"])
    error = f"{worst['equivariance_error']:.1e}".replace("e-0", "e-")
    last = [(network(*name), r["epochs"][-1]["equivariance_error"]) for name, rs in runs(made).items() for r in rs]
    exact, inexact = (max(e for _, e in last if (e <= 1e-5) == small) for small in (True, False))
    of_exact, of_inexact = (f"{value:.1e}".replace("e-0", "e-") for value in (exact, inexact))
    place = ran(made).replace("1 thread", "on 1 thread")
    assert said["equivariance-error"] == (
        f"Under the elements of H that permute pixels, the worst relative error of {len(rows)} cases (layers and "
        f"networks, forward, {place}) is {error} ({worst['case']['variant']}, |H| = {worst['case']['resolution']}): "
        f"rounding only. When images turn by quarter turns, the logits of {len(last)} training runs, at the last "
        f"epoch, change by up to {of_exact} for |H| = 4 and |H| = 8 and up to {of_inexact} for plain and |H| = 2."
    )


def test_accuracy(made, said):
    parts = []
    for variant in ("plain", "full", "separable"):
        mine = {name: records for name, records in runs(made).items() if name[0] == variant}

        def validated(name, mine=mine):
            return np.mean([r["epochs"][r["best_epoch"] - 1]["validation_accuracy"] for r in mine[name]])

        best = max(mine, key=validated)
        values = [100 * r["epochs"][r["best_epoch"] - 1]["validation_accuracy"] for r in mine[best]]
        parts.append(f"{np.mean(values):.1f} ± {np.std(values, ddof=1):.1f} % ({network(*best)})")
    assert said["accuracy-epochs"] == (
        "Validation accuracy at the best epoch of each run, of each variant’s network with the highest mean: "
        f"{joined(parts)} (mean ± s.d., n = 3 seeds)."
    )


def test_time_and_macs_to_train(made, said):
    times, asked = [], []
    for variant in ("plain", "full", "separable"):
        mine = {name: records for name, records in runs(made).items() if name[0] == variant}
        means = [np.mean([record["epochs"][-1]["seconds"] for record in records]) for records in mine.values()]
        every = [record["epochs"][-1]["macs"] for records in mine.values() for record in records]
        many = len(mine) > 1
        times.append(f"{seconds(min(means))}{f' to {seconds(max(means))}' if many else ''} for {variant}")
        asked.append(f"{count(min(every))}{f' to {count(max(every))}' if many else ''} for {variant}")
    assert said["accuracy-seconds"] == (
        f"Training for 4 epochs takes {joined(times)} (means over seeds, from the fastest to the slowest network)."
    )
    assert said["accuracy-macs"] == f"MACs of the whole training: {joined(asked)}."


def test_fronts(made, said):
    found, parts, starred = networks(made), [], False
    pairs = len(found) * (len(found) - 1) // 2
    for word in ("time", "memory", "MACs"):

        def rivalled(mine, word=word):
            cheaper = [name for name in found if found[name][word][2] < found[mine][word][0]]
            return any(not shown(found[mine]["runs"], found[name]["runs"], 0.0, pairs) for name in cheaper)

        def beats(rival, mine, word=word):
            (_, cost, high), (low, other, _) = found[rival][word], found[mine][word]
            no_worse = cost <= other and found[rival]["mean"] >= found[mine]["mean"]
            better = shown(found[rival]["runs"], found[mine]["runs"], 0.0, pairs)
            return no_worse and (high < low or better)

        front = [mine for mine in found if not any(beats(rival, mine) for rival in found)]
        front.sort(key=lambda name: found[name][word][1])
        which = joined([f"{network(*name)}{'*' if rivalled(name) else ''}" for name in front])
        parts.append(f"By {word}, {len(front)} of {len(found)}: {which}.")
        starred = starred or any(map(rivalled, front))
        assert len(front) < len(found)
    assert said["pareto"] == (
        f"Networks that no other clearly beats in accuracy and one cost, cheapest first. {' '.join(parts)}"
        f"{' A star: a clearly cheaper network is not shown to be less accurate than this one.' if starred else ''}"
    )


def test_target(made, said):
    found = runs(made)
    best = [
        max(np.mean([record["epochs"][i]["validation_accuracy"] for record in records]) for i in range(4))
        for records in found.values()
    ]
    target = math.floor(100 * min(best)) / 100
    firsts = {}
    for name, records in found.items():
        there = [[e for e in record["epochs"] if e["validation_accuracy"] >= target] for record in records]
        if all(there):
            firsts[name] = [epochs[0] for epochs in there]
    assert 1 < len(firsts) < len(found)  # a seed of a network does not get there
    parts = []
    for unit, words, show in (("seconds", "seconds", seconds), ("macs", "MACs", count)):
        spent = {name: [e[unit] for e in epochs] for name, epochs in firsts.items()}

        def described(name, spent=spent, show=show):
            low, middle, high = (show(value) for value in np.quantile(spent[name], (0, 0.5, 1)))
            return f"{network(*name)} ({middle}{'' if low == high else f' [{low} to {high}]'})"

        first, *others = sorted(spent, key=lambda name, spent=spent: np.median(spent[name]))
        least = 1 / np.median([e["epoch"] for e in firsts[first]]) / math.sqrt(12)
        alike = []
        for name in others:
            later = np.log(spent[name]) - np.log(spent[first])
            t = later.mean() / max(later.std(ddof=1), least) * math.sqrt(3)
            if t <= 0 or 2 * stats.t.sf(t, 2) >= 0.05 / len(others):
                alike.append(name)
        level = [name for name in (first, *others) if np.median(spent[name]) == np.median(spent[first])]
        rivals = [name for name in alike if name not in level]
        text = f"Fewest {words}: {joined([described(name) for name in level])}"
        text += ", whose medians are equal" if len(level) > 1 else ""
        named = [*map(described, rivals[:3]), *([f"{len(rivals) - 3} more"] if len(rivals) > 3 else [])]
        it = "them" if len(level) > 1 else "it"
        parts.append(
            f"{text}; not told apart from {it}: {joined(named)}" if rivals else f"{text}, fewer than any other"
        )
    assert said["target"] == (
        f"First at a validation accuracy of {100 * target:.0f} %, of the {len(firsts)} of {len(found)} networks whose "
        f"seeds all get there. {'. '.join(parts)}. Numbers are medians over n = 3 seeds, with the least and the most."
    )


def test_redundancy(made, said):
    records = [r for (variant, _), rs in runs(made).items() if variant == "full" for r in rs]
    parts = []
    for form in ("separable", "gseparable"):
        start, after = (
            [
                forms[form]
                for r in records
                for name, forms in r["epochs"][epoch]["redundancy"].items()
                if "skip" not in name and form in forms
            ]
            for epoch in (0, -1)
        )
        low, high = percent(min(after), 0), percent(max(after), 0)
        parts.append(f"{percent(np.median(after), 0)} [{low} to {high}] by {form} ({percent(np.median(start), 0)})")
    n = len(records)
    assert said["redundancy"] == (
        f"Of the energy of full kernels, the best kernels of each form explain {joined(parts)}: medians and ranges of "
        f"n = {n} trained layers of {n} trained networks of all studies, without those of kernel size 1, which "
        "separable and gseparable kernels explain wholly; in brackets the median at the start."
    )


def test_map_errors(made, said):
    parts = []
    for variant in ("full", "separable"):
        errors = [list(r["equivariance_error_by_layer"].values()) for r in runs(made)[variant, 8]]
        last, steps = np.median(errors, axis=0)[-1], np.diff(np.median(errors, axis=0), prepend=0.0)
        name = ("first", "second", "last")[int(np.argmax(steps))]
        parts.append(f"{percent(last)} for {network(variant, 8)} (the largest step is at {name})")
    assert said["map-errors"] == (
        "Under the elements of H that interpolate pixels, the last map of trained networks is off by "
        f"{joined(parts)}; medians over n = 3 seeds."
    )


def test_accuracy_by_angle(made, said):
    parts = []
    for name, records in sorted(runs(made).items(), key=lambda item: (item[0][0], item[0][1])):
        by_angle = np.mean([[entry["accuracy"] for entry in r["test_by_angle"]] for r in records], axis=0)
        angle = (0, 45, 90)[int(np.argmin(by_angle))]
        parts.append(f"{network(*name)} reaches {percent(by_angle[0])} at 0° and {percent(by_angle.min())} at {angle}°")
    told = said["by-angle"].removeprefix("On turned test images, upright and at the worst angle: ")
    assert told != said["by-angle"]
    assert sorted(told.removesuffix(" (n = 3 seeds).").split("; ")) == sorted(parts)


def test_every_sentence_of_a_figure_is_recomputed_here(said):
    recomputed = {
        *("relative", "pareto", "time-forward", "time-training", "memory-forward", "macs", "stages", "memory-parts"),
        *(
            "operators",
            "realised",
            "split",
            "roofline",
            "peers",
            "accuracy-epochs",
            "accuracy-seconds",
            "accuracy-macs",
        ),
        *("equivariance-error", "redundancy", "noise", "map-errors", "by-angle"),
        *("Choice", "Direct comparison", "Cost", "Saving", "Gain", "bends", "target", "undecided"),
    }
    assert set(said) == recomputed | {"memory-training"}  # made by the same function as memory-forward


def test_a_run_with_one_seed_says_so():
    found = Part("m1", "machine", "", anchored(frames([training_record("plain", 1, 0, 0.5)])))
    assert [sentence.text for sentence in found.sentences] == [
        "No choice, by the runs on rotated-digits, 4 epochs: the only network is plain (50.0 %, 1.00 k MACs "
        "an image) (n = 1 seed).",
        "Gain, on the test images of rotated-digits: plain reaches 50.0 % (single runs, n = 1 seed; trained on Made-up "
        "CPU).",
    ]
