import itertools
import re
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import pytest

from reports.arithmetic.prepared import Prepared
from reports.figures.choice import short_names
from reports.figures.labels import place
from reports.figures.sections import sections
from reports.frames.frames import frames
from reports.style import LOOKS, OTHER, OWN_LOOKS, THEME, look, own_looks

from ..conftest import cost_record, empty_figures, every_record, old, training_record, twin_record, undrawn_panels


def draw(records, only=""):
    """Return the figures by their keys; if `only` names a function of `sections`, its figures alone have panels."""
    if only:
        with empty_figures(but=only):
            return draw(records)
    drawn = sections(Prepared(frames(records)))
    return {figure.key: figure for section in drawn.values() for figure in section}


@pytest.fixture(scope="module")
def drawn():
    return draw(every_record())


PANELS = {
    "relative": 2,
    "time-forward": 3,
    "time-training": 3,
    "memory-forward": 3,
    "memory-training": 3,
    "macs": 3,
    "realised": 4,
    "split": 3,
    "stages": 2,
    "memory-parts": 2,
    "operators": 2,
    "peers": 1,
    "accuracy-epochs": 3,
    "accuracy-seconds": 3,
    "pareto": 3,
    "equivariance-error": 2,
    "map-errors": 1,
    "by-angle": 6,
    "roofline": 2,
    "redundancy": 0,
    "accuracy-macs": 3,
    "noise": 1,
}


def test_every_figure_has_its_panels_a_takeaway_and_a_caption(drawn):
    assert {key: len(figure.panels) for key, figure in drawn.items()} == PANELS
    for key, figure in drawn.items():
        assert figure.takeaway.endswith(".")
        assert figure.caption.endswith(".") or not PANELS[key]


@pytest.mark.parametrize("key", sorted(PANELS.keys() - {"redundancy"}))
def test_captions_state_n(drawn, key):
    assert re.search(r"\bn = \d", drawn[key].caption)


@pytest.mark.parametrize("key", PANELS)
def test_panels_are_well_formed_named_and_self_contained(drawn, key):
    for panel in drawn[key].panels:
        root = ElementTree.fromstring(panel)
        title, description = root[0], root[1]
        assert (title.tag, description.tag) == ("title", "desc")
        assert root.get("aria-labelledby").split() == [title.get("id"), description.get("id")]
        assert title.text
        assert description.text == drawn[key].takeaway
        assert not re.search(r"<script|<style|https?:|<image|data:| style=", panel)
        assert all(target.startswith("#") for target in re.findall(r'href="([^"]*)"', panel))
        assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", panel))


def test_ids_are_unique_over_all_figures_and_every_reference_is_met(drawn):
    markup = "".join(panel for figure in drawn.values() for panel in figure.panels)
    ids = re.findall(r'\bid="([^"]*)"', markup)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:href="|url\()#([^")]*)', markup)) <= set(ids)


@pytest.mark.parametrize(
    ("key", "labels"),
    [
        ("time-forward", {"group resolution |H|", "width (channels)", "batch size (images)"}),
        ("time-training", {"time (ms)"}),
        ("memory-forward", {"peak memory (MiB)"}),
        ("macs", {"MACs (10⁶)"}),
        ("accuracy-epochs", {"epoch", "validation accuracy (%)"}),
        ("accuracy-seconds", {"training time, cumulative (s)"}),
        ("accuracy-macs", {"MACs, cumulative (10⁹)"}),
        ("roofline", {"MACs per byte moved", "10⁹ MACs per second", "forward"}),
        ("relative", {"× plain (log scale)", "time, forward", "test accuracy (%)", "plain"}),
        ("pareto", {"test accuracy (%)", "inference time per image (ms, log scale)"}),
        ("equivariance-error", {"relative error"}),
        ("noise", {"second twin minus first (%)", "time of one pass (ms, log scale)"}),
        ("stages", {"share of the time of one pass (%)"}),
        ("memory-parts", {"peak memory of one pass (MiB)"}),
        ("peers", {"time as a multiple of ours (log scale)", "torch, forward"}),
    ],
)
def test_axes_are_labelled_in_text_with_units(drawn, key, labels):
    assert labels <= set(re.findall(r">([^<>]+)</text>", "".join(drawn[key].panels)))


def test_a_variant_has_the_same_colour_in_every_figure_and_follows_the_theme(drawn):
    markup = "".join(panel for figure in drawn.values() for panel in figure.panels)
    assert not set(re.findall(r"#[0-9a-f]{6}\b", markup)) & set(THEME)
    for key in ("relative", "time-forward", "macs", "equivariance-error"):
        assert {"lifting", "full", "separable"} <= set(drawn[key].legend)
        for variant in drawn[key].legend:
            assert THEME[LOOKS[variant].colour] in "".join(drawn[key].panels)


def test_bars_of_stages_and_memory_name_every_variant(drawn):
    for key in ("stages", "memory-parts"):
        for panel in drawn[key].panels:
            assert {"plain", "lifting", "full", "separable"} <= set(re.findall(r">([^<>]+)</text>", panel))


def test_parts_of_bars_are_in_one_legend_with_their_whole_names(drawn):
    parts = {key: [name for name, _ in figure.keys] for key, figure in drawn.items() if figure.keys}
    assert parts["stages"] == ["kernel generation", "group mixing", "spatial convolution", "other", "backward"]
    assert parts["memory-parts"] == ["kernels", "saved activations", "workspace, output"]
    assert parts["split"] == ["convolution", "kernel generation"]
    for names in parts.values():
        assert not any("…" in name for name in names)


def boxes(panel):
    """Return the width and height of a panel."""
    return tuple(map(float, ElementTree.fromstring(panel).get("viewBox").split()[2:]))


def test_panels_of_a_figure_have_one_size_by_their_number(drawn):
    for figure in drawn.values():
        sizes = {boxes(panel) for panel in figure.panels}
        assert len({width for width, _ in sizes}) <= 1
        if 0 < len(figure.panels) <= 2:
            assert figure.width == "wide"
    assert len({boxes(panel) for panel in drawn["relative"].panels}) == 1


def arrows(figure):
    """Return the number of arrows at the upper and at the lower end of a figure's axes."""
    groups = [
        group
        for panel in figure.panels
        for group in ElementTree.fromstring(panel).iter()
        if "data-beyond" in group.attrib
    ]
    ends = {"up": 0, "down": 0}
    for group in groups:
        ends[group.get("data-beyond")] += sum(element.tag.endswith("use") for element in group.iter())
    return ends


def test_whiskers_of_the_noise_end_inside_of_the_axis_or_in_an_arrow(drawn):
    """Every interval of the made-up twins fits; that of a twin with wild rounds has an arrow where it is cut."""
    assert "beyond the axis" not in drawn["noise"].caption
    assert arrows(drawn["noise"]) == {"up": 0, "down": 0}
    wild = draw([*every_record(), twin_record(cost_record(variant="full", channels=32), 3.0, 1.0, 0.4)], "noise")[
        "noise"
    ]
    assert "1 of them reaches beyond the axis, as arrows show" in wild.caption
    assert (wild.data["high"] > 1000).sum() == 1
    assert wild.data["low"].min() > -100  # percent: the axis is longer
    assert arrows(wild) == {"up": 1, "down": 0}


def test_the_axis_of_accuracy_begins_where_networks_differ_and_says_so():
    """Networks that begin at 10 % and end between 94 and 98 % are drawn from above 80 % on."""
    runs = [
        training_record("separable", resolution, 0, 0.94 + 0.005 * resolution, epochs=8) for resolution in (2, 4, 8)
    ]
    for run in runs:
        for epoch in run["epochs"]:
            epoch["validation_accuracy"] = run["test_accuracy"] * (1 - 0.9 ** (3 * epoch["epoch"]))
    figure = draw(runs, "accuracy")["accuracy-epochs"]
    [text] = re.findall(r"begins at (\d+) %, not at 0", figure.caption)
    assert 60 < int(text) < 90
    ticks = [float(text) for text in re.findall(r">([\d.]+)</text>", figure.panels[0])]
    assert min(tick for tick in ticks if tick > 10) > 60
    assert len(figure.plots[0].points) == 8  # the chart that readers open has the early ones, too
    assert len(re.findall(r'class="tip"', figure.panels[0])) < 8


def test_names_in_the_choice_tell_points_apart_and_do_not_overlap():
    networks = {("separable", 8): 0.95, ("separable", 4): 0.94, ("full", 8): 0.97, ("plain", 1): 0.9}
    runs = [training_record(variant, r, seed, mean) for (variant, r), mean in networks.items() for seed in (0, 1)]
    runs += [augmented(training_record("separable", 8, seed, 0.951)) for seed in (0, 1)]
    figure = draw(runs, "pareto")["pareto"]
    names = short_names(figure.data)
    assert len(set(zip(figure.data["variant"], names, strict=True))) == len(names)
    assert "8 + rotations" in names
    alike = short_names(figure.data[figure.data["resolution"] != 4])
    assert set(alike) == {"", "+ rotations"}  # one |H| in all: it tells nothing


def test_labels_are_placed_apart():
    axes = plt.subplots()[1]
    points = [(0.5, 0.5), (0.5, 0.51), (0.52, 0.5)]
    place(axes, [(*point, "8 + rotations", f"name{i}") for i, point in enumerate(points)], points)
    boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) >= 2
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    plt.close(axes.figure)


def test_what_is_not_comparable_is_in_no_figure_of_ours():
    ours = [cost_record(variant=variant) for variant in ("plain", "full", "separable")]
    others = [{"execution": "compiled"}, {"dtype": "bfloat16"}, {"kernels": "generated"}, {"implementation": "torch"}]
    drawn = draw(ours)
    again = draw([*ours, *(cost_record(variant="full", channels=64, **other) for other in others)])
    for key in PANELS.keys() - {"noise"}:
        assert again[key] == drawn[key]


def test_records_of_schema_1_give_the_old_figures():
    made = draw([old(cost_record(variant=variant)) for variant in ("plain", "full", "separable")])
    assert len(made["time-forward"].panels) == 1
    assert "n = 21 passes in 1 process;" in made["time-forward"].caption
    assert made["stages"].panels == made["memory-parts"].panels == made["noise"].panels == ()


def test_every_point_says_what_it_is(drawn):
    panel = drawn["time-forward"].panels[0]
    tips = re.findall(r'class="tip"[^>]*><title>([^<]*)</title>', panel)
    assert "full, group resolution |H| 8: 64 [57.6, 70.4] ms" in tips
    assert len(tips) == 4 * 4  # four variants at four |H|; plain is repeated at each |H|
    for key in (
        "relative",
        "realised",
        "roofline",
        "pareto",
        "noise",
        "peers",
        "accuracy-epochs",
        "equivariance-error",
    ):
        assert 'class="tip"' in drawn[key].panels[0]


def test_redundancy_is_drawn_before_and_after_training():
    run = training_record("full", 4, seed=0, accuracy=0.9)
    for epoch, fraction in ((0, 0.25), (3, 0.75)):
        run["epochs"][epoch]["redundancy"] = {"<b>1": {"separable": fraction}, "2": {"separable": 0.5}}
    figure = draw([run], "redundancy")["redundancy"]
    assert len(figure.panels) == 1
    assert "&lt;b&gt;1, separable, after training: 75 % (n = 1)" in figure.panels[0]
    assert "<b>" not in figure.panels[0]


def test_data_of_a_figure_is_what_it_draws(drawn):
    time = drawn["time-forward"].data
    assert set(time["along"]) == {"resolution", "channels", "batch_size"}
    assert time.query("variant == 'full' and along == 'resolution'").set_index("resolution")["seconds"].to_dict() == (
        pytest.approx({r: 1e-3 * r**2 for r in (2, 4, 8, 16)})
    )
    for figure in drawn.values():
        assert len(figure.data) or not figure.panels


def test_looks_are_distinct():
    looks = [*LOOKS.values(), OTHER, *OWN_LOOKS.values()]
    assert len({look.colour for look in looks}) == len({look.marker for look in looks}) == len(looks)
    assert len({look(name) for name in own_looks("abcd").values()}) == 4


def test_users_networks_are_drawn_and_named_one_by_one():
    runs = []
    for name in ("a:net", "b:net"):
        run = training_record("plain", 1, 0, 0.9)
        run["run"] |= {"variant": "custom", "network": name}
        runs.append(run | {"id": name})
    made = draw(runs)
    for key in ("accuracy-epochs", "relative", "pareto", "by-angle"):
        figure = made[key]
        assert figure.legend == ("a:net", "b:net"), key
        assert dict(figure.looks) == {"a:net": "custom", "b:net": "own-2"}
        assert THEME[OWN_LOOKS["own-2"].colour] in "".join(figure.panels)
        for plot in filter(None, figure.plots):
            assert {point[0] for point in plot.points} == set(figure.legend) == set(plot.json()["looks"])


def test_without_records_every_figure_is_a_sentence():
    drawn = draw([])
    assert drawn.keys() == PANELS.keys()
    for figure in drawn.values():
        assert figure.panels == ()
        assert figure.takeaway.endswith(".")


def test_every_look_can_be_drawn():
    made = draw([cost_record(variant=variant) for variant in LOOKS])
    assert set(made["time-forward"].legend) == set(LOOKS)


@pytest.mark.parametrize("variant", LOOKS)
def test_one_cost_record_is_enough(variant):
    with undrawn_panels(plotted=True):
        made = draw([cost_record(variant=variant)])
    assert len(made["time-forward"].panels) == 1
    assert made["time-training"].panels == ()


def test_one_run_with_one_epoch_is_enough():
    made = draw([training_record("plain", 1, seed=0, accuracy=0.5, epochs=1)])
    assert len(made["accuracy-epochs"].panels) == 1
    assert "seeds (n = 1)" in made["accuracy-epochs"].caption
    assert len(made["pareto"].panels) == 1  # only its MACs are known


def test_names_from_records_are_text_in_a_figure():
    made = draw([cost_record(variant="$x^<script>alert(1)</script>"), cost_record(variant="plain")])
    panels = "".join(made["split"].panels)
    assert "<script" not in panels
    assert "$x^&lt;script&gt;" in panels


def augmented(record):
    """Return a run like a record's, with augmented images."""
    run = {**record["run"], "augmentation": "rotations"}
    return {**record, "id": f"{record['id']}-augmented", "run": run}


def test_augmented_runs_have_lines_of_their_own():
    runs = [training_record("separable", 4, seed, accuracy=0.8) for seed in (0, 1)]
    turned = [augmented(training_record("separable", 4, seed, accuracy=0.6)) for seed in (0, 1)]
    made = draw([*runs, *turned], "accuracy")
    figure = made["accuracy-epochs"]
    assert set(figure.data["augmentation"]) == {"none", "rotations"}
    assert "Dashed: the train images were turned; dotted: scaled" in figure.caption
    assert "separable + rotations, epoch" in figure.panels[0]
    assert "Dashed" not in draw(runs, "accuracy")["accuracy-epochs"].caption


def test_a_users_network_is_in_every_panel_under_its_own_name():
    runs = [training_record("separable", resolution, 0, accuracy=0.8) for resolution in (2, 4)]
    record = training_record("plain", 1, 0, accuracy=0.7)
    own = {**record, "id": "own", "run": {**record["run"], "variant": "custom", "network": "mine:net"}}
    made = draw([*runs, own], "accuracy")
    assert len(made["accuracy-epochs"].panels) == 2
    assert "mine:net" in made["accuracy-epochs"].takeaway
