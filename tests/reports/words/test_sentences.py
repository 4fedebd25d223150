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

from ..conftest import GPU, cost_record, every_record, gpu_records, training_record, twin_record

PASSES = {"forward": "forward", "forward_backward": "forward + backward"}
VARIANTS = ("plain", "lifting", "full", "separable")
SHAPE = ("channels", "batch_size", "image_size", "kernel_size")


def scattered(records, seed=20300102):
    """Return the made-up sweep with a random factor on every number, and with the fields of newer records."""
    rng = np.random.default_rng(seed)
    made = [copy.deepcopy(record) for record in records if record["kind"] != "twin"]
    for record in made:
        if record["kind"] == "cost" and record["status"] == "ok":
            factor = float(np.exp(rng.normal(0, 0.25)))
            seconds = record["seconds"]
            for name in ("median", "q1", "q3"):
                seconds[name] *= factor
            seconds["ci_low"] = seconds["median"] * rng.uniform(0.9, 0.99)
            seconds["ci_high"] = seconds["median"] * rng.uniform(1.01, 1.1)
            seconds["rounds"] = [[x * factor * rng.uniform(0.98, 1.02) for x in xs] for xs in seconds["rounds"]]
            record["memory"]["peak_bytes"] = int(record["memory"]["peak_bytes"] * rng.uniform(0.7, 1.3))
            if record["macs"]["kernel_generation"]:
                record["stages"]["kernel_generation_share"] *= rng.uniform(0.1, 5)
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
            record["epochs"][0]["redundancy"] = {"a": {"separable": rng.uniform(0.2, 0.5)}, "b": {"separable": 0.5}}
            record["epochs"][-1]["redundancy"] = {"a": {"separable": rng.uniform(0.5, 0.9)}}
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
def said(everything, machine):
    """Return the texts of one device's part: the sentences of the first screen, and the takeaway of every figure."""
    records = [record for records in everything.values() for record in records]
    [found] = [part for part in parts(records, anchored(frames(records))) if part.title == machine]
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


def test_saving(made, said):
    least, parts = floor(made, 2), []
    for direction, name in PASSES.items():
        here = base(made, direction=direction)
        full, separable = here["full"], here["separable"]
        saved = digits(macs(full) / macs(separable), 2)
        called = word(full, separable, least)
        parts.append(f"{interval(*mover(full, separable))} as fast as full in {name} ({called}; {saved}× fewer MACs)")
    assert said["Saving"] == f"Saving: separable is {joined(parts)}."


def test_gain(made, said, machine):
    found = runs(made)
    plain = {record["run"]["seed"]: record["test_accuracy"] for record in found["plain", 1]}
    values = np.array(list(plain.values()))
    parts = [f"plain reaches {100 * values.mean():.1f} ± {100 * values.std(ddof=1):.1f} %"]
    for variant in ("full", "separable"):
        ours = {record["run"]["seed"]: record["test_accuracy"] for record in found[variant, 8]}
        values = np.array(list(ours.values()))
        more = 100 * np.array([ours[seed] - plain[seed] for seed in plain])
        half = stats.t.ppf(0.975, len(more) - 1) * stats.sem(more)
        points = f"+{more.mean():.1f} [{signed(more.mean() - half)}, {signed(more.mean() + half)}] points over plain"
        text = f"{100 * values.mean():.1f} ± {100 * values.std(ddof=1):.1f} %"
        parts.append(f"{network(variant, 8)} reaches {text}, {points}")
    device = machine.partition(" in ")[0].partition(",")[0]
    spread = f"(mean ± s.d.; gains with 95 % intervals, paired by seed, n = 3 seeds; trained on {device})"
    assert said["Gain"] == f"Gain, on the test images of rotated-digits: {'; '.join(parts)} {spread}."


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
    powers = []
    for variant in ("lifting", "full", "separable"):
        rows = costs(made, layer="conv", variant=variant, direction=direction, channels=16, batch_size=16)
        fit = stats.linregress(*(np.log([f(r) for r in rows]) for f in (lambda r: r["case"]["resolution"], value)))
        half = stats.t.ppf(0.975, len(rows) - 2) * fit.stderr
        powers.append(f"{signed(fit.slope)}{f' ± {signed(half)}' if half >= 0.05 else ''} for {variant}")
    assert said[key] == f"{what} {verb} with |H| to the power {joined(powers)} (n = 4 resolutions)."


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
                time = last["seconds"]["median"] / first["seconds"]["median"]
                asked = macs(last) / macs(first)
                text = f"{variant} from {name} {first['case'][axis]} to {last['case'][axis]}"
                found.append((time / asked, f"{text}: MACs {digits(asked, 2)}×, time {digits(time, 2)}×"))
        assert sentence == (
            f"{words.capitalize()}: compared with its MACs, time grows least, {min(found)[1]}; most, {max(found)[1]}."
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
    assert said["relative"] == (
        f"At equal width, equivariance costs from {low} to {high} the time of a plain convolution; the most accurate "
        f"network is {network(*best)} ({percent(means[best])})."
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
        shares = [mover(full, separable)[0] / (macs(full) / macs(separable)) for full, separable in pairs]
        spread = f"{percent(min(shares), 0)} to {percent(max(shares), 0)}"
        name = {"conv": "one layer", "resnet": "network"}[layer] + ", " + PASSES[direction]
        parts.append(f"{name}: {percent(np.median(shares), 0)} [{spread}], n = {len(pairs)}")
        words += [word(full, separable, least) for full, separable in pairs]
    assert said["realised"] == (
        f"Share of the MAC saving that shows up as time, median and range: {'; '.join(parts)}. "
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
        f"{words.count('ambiguous')} of {len(words)} comparisons could not be decided: their intervals reach across "
        "the noise floor."
    )


def test_noise(made, said):
    judged = [record for record in made if record["kind"] == "cost" and record["status"] == "ok"]
    noisy = sum(record["noise"]["verdict"] == "noisy" for record in judged)
    assert said["noise"] == (
        f"The minimum detectable effect is {percent(floor(made, 1))}: the same code, timed twice, hardly ever "
        f"differs by more (n = 2 A/A pairs). {noisy} of {len(judged)} records are called noisy."
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
        parts.append(" to ".join(f"{percent(s)} ({v})" for s, v in (shares[0], shares[-1])) + f" in {words}")
    assert said["stages"] == f"Of a whole pass, generating kernels (with its own backward) takes {joined(parts)}."


def test_memory_model(made, said):
    rows = costs(made)
    residuals = [r["memory"]["predicted_bytes"] / r["memory"]["peak_bytes"] - 1 for r in rows]
    furthest = rows[int(np.argmax(np.abs(residuals)))]["case"]
    low, high = (f"{100 * value:+.1f} %".replace("-", "−") for value in (min(residuals), max(residuals)))
    assert said["memory-parts"] == (
        f"The model predicts the peak to within {percent(np.median(np.abs(residuals)))} (median of n = {len(rows)} "
        f"records; from {low} to {high}, the furthest for {furthest['variant']}, {PASSES[furthest['direction']]})."
    )


def test_roofline(made, said):
    rows = [record for direction in PASSES for record in base(made, direction=direction).values()]
    reached = sorted(
        (r["roofline"]["fraction"], f"({r['case']['variant']}, {PASSES[r['case']['direction']]})") for r in rows
    )
    ends = " to ".join(f"{percent(value, 0)} {where}" for value, where in (reached[0], reached[-1]))
    bound = sum(
        r["roofline"]["arithmetic_intensity"] * r["roofline"]["memory_ceiling"] < r["roofline"]["matrix_ceiling"]
        for r in rows
    )
    assert said["roofline"] == (
        f"Passes of one layer reach {ends} of what the device can do; moving memory is the limit for {bound} of "
        f"{len(rows)} of them, computing for the others."
    )


def test_equivariance(made, said):
    rows = [r for r in costs(made, direction="forward") if r["equivariance_error"] is not None]
    worst = max(rows, key=lambda r: r["equivariance_error"])
    error = f"{worst['equivariance_error']:.1e}".replace("e-0", "e-")
    assert said["equivariance-error"] == (
        f"The worst relative error of {len(rows)} cases is {error} ({worst['case']['variant']}, |H| = "
        f"{worst['case']['resolution']}): rounding only."
    )


def test_accuracy(made, said):
    parts = []
    for variant in ("plain", "full", "separable"):
        mine = {name: records for name, records in runs(made).items() if name[0] == variant}

        def validated(name, mine=mine):
            return np.mean([r["epochs"][r["best_epoch"] - 1]["validation_accuracy"] for r in mine[name]])

        best = max(mine, key=validated)
        tests = 100 * np.array([record["test_accuracy"] for record in mine[best]])
        parts.append(f"{tests.mean():.1f} ± {tests.std(ddof=1):.1f} % ({network(*best)})")
    assert said["accuracy-epochs"] == (
        f"Test accuracy of the networks that validate best: {joined(parts)} (mean ± s.d., n = 3 seeds)."
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
    assert said["accuracy-seconds"] == f"Training for 4 epochs takes {joined(times)}."
    assert said["accuracy-macs"] == f"The whole training asks for {joined(asked)} MACs."


def test_pareto(made, said):
    points = {}
    for (variant, resolution), records in runs(made).items():
        shape = {"layer": "resnet", "variant": variant, "resolution": resolution}
        [forward] = costs(made, **shape, direction="forward")
        [training] = costs(made, **shape, direction="forward_backward")
        points[variant, resolution] = (
            np.mean([record["test_accuracy"] for record in records]),
            -forward["seconds"]["median"],
            -training["memory"]["peak_bytes"],
            -records[0]["macs_per_image"]["convolution"],
        )
    front = [
        name
        for name, mine in points.items()
        if not any(all(a >= b for a, b in zip(rival, mine, strict=True)) and rival != mine for rival in points.values())
    ]
    front.sort(key=lambda name: -points[name][1])
    names = [f"{network(*name)} ({percent(points[name][0])})" for name in front]
    assert 1 < len(front) < len(points)
    assert said["pareto"] == (
        f"{len(front)} of {len(points)} networks are beaten by no other in accuracy, time, memory and MACs at once: "
        f"{joined(names)}."
    )


def test_target(made, said):
    found = runs(made)
    best = [
        max(np.mean([record["epochs"][i]["validation_accuracy"] for record in records]) for i in range(4))
        for records in found.values()
    ]
    target = math.floor(100 * min(best)) / 100
    medians = {"seconds": {}, "macs": {}}
    for unit, of_network in medians.items():
        for name, records in found.items():
            there = []
            for record in records:
                reached = [e[unit] for e in record["epochs"] if e["validation_accuracy"] >= target]
                there.append(reached[0] if reached else math.inf)
            of_network[name] = float(np.median(there))
    quickest, cheapest = (min(of_network, key=of_network.get) for of_network in medians.values())
    quick = f"with the fewest seconds ({seconds(medians['seconds'][quickest])})"
    cheap = f"with the fewest MACs ({count(medians['macs'][cheapest])})"
    second = cheap.removeprefix("with ") if cheapest == quickest else f"{network(*cheapest)} {cheap}"
    assert said["target"] == (
        f"First at a validation accuracy of {100 * target:.0f} %: {network(*quickest)} {quick} and {second}, by the "
        "median over n = 3 seeds."
    )


def test_redundancy(made, said):
    parts = []
    records = [r for (variant, _), rs in runs(made).items() if variant == "full" for r in rs]
    for when, epoch in (("at the start", 0), ("after training", -1)):
        values = [layer["separable"] for r in records for layer in r["epochs"][epoch]["redundancy"].values()]
        parts.append(f"{percent(np.median(values), 0)} {when} [{percent(min(values), 0)} to {percent(max(values), 0)}]")
    n = 2 * len(records)
    assert said["redundancy"] == (
        f"Of the energy of full kernels, the best separable ones explain {joined(parts)} (median and range, "
        f"n = {n} layers)."
    )


def test_every_sentence_of_a_figure_is_recomputed_here(said):
    recomputed = {
        *("relative", "pareto", "time-forward", "time-training", "memory-forward", "macs", "stages", "memory-parts"),
        *("realised", "split", "roofline", "peers", "accuracy-epochs", "accuracy-seconds", "accuracy-macs"),
        *("equivariance-error", "redundancy", "noise"),
        *("Cost", "Saving", "Gain", "bends", "target", "undecided"),
    }
    assert set(said) == recomputed | {"memory-training"}  # made by the same function as memory-forward


def test_a_run_with_one_seed_says_so():
    found = Part("m1", "machine", "", anchored(frames([training_record("plain", 1, 0, 0.5)])))
    assert [sentence.text for sentence in found.sentences] == [
        "Gain, on the test images of rotated-digits: plain reaches 50.0 % (single runs, n = 1 seed; trained on Made-up "
        "CPU)."
    ]
