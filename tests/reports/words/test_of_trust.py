"""The sentences about trust, recomputed from the made-up records without the report's own code."""

import math
import statistics

import pandas as pd
from scipy import stats

from reports.arithmetic.prepared import Prepared
from reports.figures.trust import equivariance, noise
from reports.frames.frames import frames
from reports.words import of_trust

from ..conftest import cost_record, on_gpu, training_record, twin_record
from .test_of_layers import ok

NONE = frames([]).costs  # no layer of a user


def test_noise_says_the_floor_and_how_many_are_noisy(records):
    data = frames(records)
    costs = data.costs[data.costs["status"] == "ok"]
    # Two twins of three rounds, log ratios ln 1.01, 0 and ln 0.99 each.
    squares = [math.log(factor) ** 2 for factor in (1.01, 1.0, 0.99)]
    floor = math.expm1(stats.t.ppf(1 - 0.005 / 2, 6) * math.sqrt(statistics.mean(squares) / 3))
    half = statistics.median((costs["ci_high"] - costs["ci_low"]) / 2 / costs["seconds"])
    assert of_trust.noise(costs, data.twins) == (
        f"The minimum detectable effect is {100 * floor:.1f} % on 1 thread (layers; 0 of 2 A/A pairs differ by more): "
        "the same code, timed twice, should differ by more in 5 of 1000 cases. A single time is less certain: half of "
        f"its 95 % interval is {100 * half:.1f} % of it, the median of {len(costs)} cost records. 1 of {len(costs)} "
        "cost records is called noisy: because of the machine."
    )
    assert of_trust.noise(costs, data.twins.iloc[:0]).startswith("No layer was timed twice")


def test_reasons_that_no_record_has_are_not_counted(records):
    costs = frames(records).costs
    quiet = costs.assign(noise="quiet")
    assert of_trust.called_noisy(quiet) == f"0 of {len(quiet)} cost records are called noisy."
    scarce = costs.iloc[:1].assign(noise="noisy", findings=[(("too_few_samples", "so", "wait"),)])
    said = of_trust.called_noisy(pd.concat([quiet, scarce]))
    assert "is called noisy: for too few samples alone" in said
    assert "machine" not in said


def test_one_record_is_not_counted(records):
    one = frames(records).costs.iloc[:1]
    crowded = one.assign(noise="noisy", findings=[(("oversubscribed", "so", "wait"),)])
    assert of_trust.called_noisy(crowded).startswith(
        "The only cost record is called noisy: because of the machine (oversubscribed: a load"
    )
    assert of_trust.called_noisy(one.assign(noise="quiet")) == "The only cost record is not called noisy."


def test_why_no_comparison_was_judged():
    assert "noise floor is not known" in of_trust.undecided(pd.Series(["", ""], dtype=object))
    assert "no setting has both full and separable" in of_trust.undecided(pd.Series([], dtype=object))


def test_users_networks_are_named_where_logits_change():
    own = [training_record("plain", 1, seed, 0.9) for seed in (0, 1)]
    for number, record in enumerate(own):
        record["id"], record["run"]["variant"], record["run"]["network"] = f"own{number}", "custom", f"mine:net{number}"
        record["epochs"][-1]["equivariance_error"] = (1e-7, 0.5)[number]
    data = frames(own)
    last = data.epochs.drop_duplicates("id", keep="last")
    assert of_trust.equivariance(data.costs, last, NONE).endswith(
        "change by up to 1.0e-7 for mine:net0 and up to 5.0e-1 for mine:net1."
    )


def test_one_reason_of_all_noisy_records_is_said_of_all(records):
    costs = frames(records).costs
    noisy = costs.iloc[:2].assign(noise="noisy", findings=[(("drift", "so", "wait"),)] * 2)
    assert of_trust.called_noisy(noisy) == "2 of 2 cost records are called noisy: all because of the machine."


def test_the_errors_of_users_layers_have_a_sentence(records):
    own = [cost_record(implementation=name, variant="custom") for name in ("mine:Exact", "mine:Wrong")]
    own[1]["equivariance_error"] = 0.3
    results = Prepared(frames([*records, *own]))
    assert (
        "Under these elements, the worst relative error of users’ layers is 8.0e-7 for mine:Exact (rounding only) and "
        "3.0e-1 for mine:Wrong (more than rounding)." in equivariance(results, "error").takeaway
    )


def test_worst_equivariance_error(records):
    costs, _, epochs = ok(records)
    assert of_trust.equivariance(costs, epochs, NONE).endswith("|H| = 16): rounding only.")
    assert "1.6e-6" in of_trust.equivariance(costs, epochs, NONE)
    wrong = cost_record()
    wrong["equivariance_error"] = 0.3
    assert of_trust.equivariance(frames([wrong]).costs, epochs, NONE) == (
        "Under the elements of H that permute pixels, the worst relative error of 1 case (layers, forward, on 1 "
        "thread) is 3.0e-1 (separable, |H| = 8): more than rounding."
    )


def test_networks_that_lack_quarter_turns_are_not_covered_by_rounding_only(records):
    costs, _, epochs = ok(records)
    last = epochs[(epochs["epoch"] == 4) & (epochs["seed"] == 0)]
    errors = last["resolution"].map({1: 0.38, 2: 0.41, 4: 3e-7, 8: 4e-7})
    assert of_trust.equivariance(costs.iloc[:0], last.assign(equivariance_error=errors), NONE) == (
        "When images turn by quarter turns, the logits of 7 training runs, at the last epoch, change by up to 4.0e-7 "
        "for |H| = 4 and |H| = 8 and up to 4.1e-1 for plain and |H| = 2."
    )


def test_groups_of_one_resolution_are_told_apart(records):
    epochs = ok(records)[2]
    of_four = epochs[epochs["resolution"] == 4].head(2).reset_index(drop=True)
    both = of_four.assign(group=["SO2", "RPlus"], equivariance_error=[3e-7, 0.4])
    assert of_trust.equivariance(epochs.iloc[:0], both, NONE).endswith(
        "change by up to 3.0e-7 for SO(2) |H| = 4 and up to 4.0e-1 for R⁺ |H| = 4."
    )


def test_too_few_samples_are_the_profiles_own_doing():
    assert not of_trust.of_the_machine((("too_few_samples", "", ""),))
    assert of_trust.of_the_machine((("too_few_samples", "", ""), ("drift", "", "")))
    assert not of_trust.of_the_machine(())


def test_each_number_of_threads_has_a_sentence_of_its_own():
    made = []
    for threads, spread, layer in ((1, 0.2, "resnet"), (2, 0.01, "conv")):
        firsts = [cost_record(threads=threads, layer=layer, image_size=16 + i) for i in range(5)]
        made += [*firsts, *(twin_record(first, 1 + spread, 1.0, 1 - spread) for first in firsts)]
    data = frames(made)
    text = of_trust.noise(data.costs, data.twins)
    assert "% on 1 thread (networks; 0 of 5 A/A pairs differ by more) and" in text
    assert "% on 2 threads (layers; 0 of 5 A/A pairs differ by more):" in text
    assert "Fewer than 5 pairs" not in text
    few = data.twins[(data.twins["threads"] == 1) | (data.twins["layer"] == "conv")].iloc[:-1]
    assert "Fewer than 5 pairs give the largest of these." in of_trust.noise(data.costs, few)


def test_decided_comparisons_are_not_called_undecided():
    assert of_trust.undecided(pd.Series(["faster", "same", ""])) == (
        "Each of 2 comparisons of times was decided: faster, slower, or the same."
    )
    assert of_trust.undecided(pd.Series(["faster", "ambiguous"])).startswith("1 of 2 comparisons of times could not")


def test_no_judged_comparison_is_said():
    assert of_trust.undecided(pd.Series(["", ""])).startswith("No comparison was judged")


def test_a_noise_floor_of_several_settings_says_so():
    def twins(*settings):
        firsts = [on_gpu(cost_record(dtype=dtype, execution=execution)) for dtype, execution in settings]
        return [record for first in firsts for record in (first, twin_record(first, 1.01, 1.0, 0.99))]

    usual, other = ("float32", "eager"), ("tf32", "graphed")
    captions = [noise(Prepared(frames(twins(*settings))), "n").caption for settings in ([usual], [usual, other])]
    assert [" count together." in caption for caption in captions] == [False, True]
    assert captions[1].endswith(
        "Pairs of all number formats (float32, tf32) and executions (eager, graphed) count together."
    )
