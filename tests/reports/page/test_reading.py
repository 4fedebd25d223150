"""What a reader sees on a phone, on a desktop and in print: sizes of type, tables that scroll, budgets in a figure."""

import json
import re

import pytest

pytest.importorskip("playwright", reason="Playwright is not installed")
from playwright.sync_api import expect

from reports.page.page import render
from reports.style import LOOKS

from ..browser import CHROMIUM, DESKTOP, PHONE, chromium, visit
from ..conftest import empty_figures, every_record

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Write a page of two studies; the networks of the first are measured."""
    records = every_record()
    for record in [record for record in records if record["kind"] == "training"]:
        run = {**record["run"], "dataset": "rotated-mnist"}
        records.append({**record, "id": f"{record['id']}-mnist", "run": run})
    path = tmp_path_factory.mktemp("reading") / "report.html"
    path.write_text(render(records), encoding="utf-8")
    return path


# The heights of the texts of each panel on the screen, in pixels.
TYPE = """() => [...document.querySelectorAll(".panels svg")].flatMap(svg => [...svg.querySelectorAll("text")].map(
  text => parseFloat(text.getAttribute("font-size")) * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width
))"""


@pytest.mark.parametrize("width", [390, 768, 1280, 1400, 1920])
def test_type_in_figures_has_one_size_on_every_screen(browser, file, width):
    with visit(browser, file, size={"width": width, "height": 900}) as found:
        heights = found.page.evaluate(TYPE)
        assert min(heights) >= 12
        assert max(heights) <= 14


def test_the_panels_of_a_figure_are_equally_high(browser, file):
    with visit(browser, file) as found:
        panels = (
            "figures => figures.map(figure => [...figure.querySelectorAll('svg[role]')].map(svg => svg.clientHeight))"
        )
        for heights in found.page.locator("figure:has(.panels)").evaluate_all(panels):
            assert max(heights) - min(heights) <= 1


def test_sentences_in_tables_are_wide_enough_to_be_read_on_a_phone(browser, file):
    with visit(browser, file, size=PHONE) as found:
        cells = found.page.locator(".scroll:not(.tall) td.prose:not(:first-child)")
        assert cells.count() > 1
        for cell in cells.all():
            box = cell.bounding_box()
            assert box is None or (box["width"] > 200 and box["height"] < 450)


def test_wide_tables_show_that_they_scroll_and_keep_their_first_column(browser, file):
    with visit(browser, file, size=PHONE) as found:
        box = found.page.locator(".scroll:has(table.networks)")
        assert box.evaluate("box => box.scrollWidth - box.clientWidth") > 0
        assert "linear-gradient" in box.evaluate("box => getComputedStyle(box).backgroundImage")
        first = box.locator("td").first
        before = first.bounding_box()["x"]
        box.evaluate("box => { box.scrollLeft = 200; }")
        assert first.bounding_box()["x"] == pytest.approx(before, abs=1)


def test_records_show_time_interval_n_and_noise_on_a_laptop(browser, file):
    with visit(browser, file) as found:
        box = found.page.locator("#costs_wrapper .dt-layout-table").bounding_box()
        for heading in ("time, median", "95 % from", "95 % to", "n", "noise"):
            name = re.compile(rf"^{re.escape(heading)}\s*\W*$")
            place = found.page.locator("#costs thead th").filter(has_text=name).bounding_box()
            assert place["x"] + place["width"] <= box["x"] + box["width"] + 1


@pytest.fixture(scope="module")
def long_names(tmp_path_factory):
    """Write a page of networks with widths of their own, augmented images and users' names, and long names of systems.

    So the names are as long as they become.
    """
    widths, records = {"plain": 14, "full": 9, "separable": 11}, []
    mine = "a_package_of_mine.networks:a_small_cnn_of_mine"
    for record in every_record():
        part = record["run"] if record["kind"] == "training" else record.get("case")
        if part and part.get("layer", "resnet") == "resnet":
            part["channels"] = widths[part["variant"]]
        versions = {"platform": "Linux-6.18.44-fc-v657-x86_64-with-glibc2.36", "fvcore": "0.1.5.post20221221"}
        records.append({**record, "provenance": {**record["provenance"], **versions}})
        if record["kind"] == "training":
            part |= {"matched": "parameters"}
            records.append({**record, "id": f"{record['id']}-turned", "run": {**part, "augmentation": "rotations"}})
            if part["variant"] == "plain":
                own = {**part, "variant": "custom", "network": mine}
                records.append({**record, "id": f"{record['id']}-own", "run": own})
        elif "seconds" in record and record["seconds"] and part and part["layer"] == "resnet":
            noise = {"verdict": "noisy", "findings": [dict.fromkeys(("kind", "detail", "remedy"), "drift")]}
            record["noise"] = records[-1]["noise"] = noise
            if part["variant"] == "plain":
                own = {**part, "layer": "network", "implementation": mine, "variant": "custom"}
                records.append({**record, "id": f"{record['id']}-own", "case": own})
    path = tmp_path_factory.mktemp("names") / "report.html"
    with empty_figures():
        path.write_text(render(records), encoding="utf-8")
    return path


@pytest.mark.parametrize("width", [1280, 1920])
def test_the_tables_of_networks_fit_a_laptop_and_a_wide_screen(browser, long_names, width):
    with visit(browser, long_names, size={"width": width, "height": 900}) as found:
        shown = {
            "networks": "separable |H| = 8 + rotations, C = 11",
            "pairs": "a_small_cnn_of_mine",
            "machines": "fc-v657",
        }
        for table, name in shown.items():
            box = found.page.locator(f".scroll:has(table.{table})")
            assert name in box.inner_text().replace("\u00a0", " ").replace("\u2060", "")
            assert box.evaluate("box => box.scrollWidth - box.clientWidth") <= 0


def test_the_form_lists_networks_with_commas_in_their_names_as_the_first_sentence_does(browser, long_names):
    with visit(browser, long_names) as found:
        said = found.page.locator(".answer > li").first.text_content().partition(": ")[2]
        told = found.page.locator("form.advisor output").inner_text()
        plain = [text.replace("\u00a0", " ").replace("\u2060", "") for text in (said, told)]
        assert ", C = 14; " in plain[1]
        assert plain[0][1:].startswith(plain[1][1:])


def test_notes_stand_beside_narrow_tables_on_a_wide_screen_and_below_them_on_a_laptop(browser, file):
    for width, beside in ((1920, True), (1280, False)):
        with visit(browser, file, size={"width": width, "height": 900}) as found:
            tables = found.page.locator("#m1-accuracy .beside, #m1-growth .beside, #m1-inside .beside")
            assert tables.count() > 3
            for each in tables.all():
                table, note = each.locator(".scroll").bounding_box(), each.locator("p.note").last.bounding_box()
                assert (note["x"] >= table["x"] + table["width"]) == beside
                assert (note["y"] >= table["y"] + table["height"]) != beside


def test_the_records_of_a_sentence_are_a_line_for_each_network_and_its_seeds_fold(browser, file):
    with visit(browser, file) as found:
        choice = found.page.locator(".answer > li").first
        choice.locator("summary", has_text="Records").click()
        networks = choice.locator("details li").filter(has_text="median")
        assert networks.count() == found.page.locator("table.networks tbody tr").count()
        plain = networks.filter(has_text="plain")
        expect(plain).to_contain_text("n = 3 seeds, mean 81.0 ± 1.0 %, median 81.0 %")
        expect(plain.locator("a").first).not_to_be_visible()
        plain.locator("summary").click()
        expect(plain.locator("a")).to_have_text(["seed 0: 80.0 %", "seed 1: 81.0 %", "seed 2: 82.0 %"])


def test_columns_that_are_added_come_into_sight(browser, file):
    with visit(browser, file) as found:
        page = found.page
        before = page.locator("#costs thead th").count()
        page.locator("#costs-filters input[type=checkbox]").check()
        added = page.locator("#costs thead th").nth(before).bounding_box()
        box = page.locator("#costs_wrapper .dt-layout-table").bounding_box()
        assert box["x"] <= added["x"] <= box["x"] + box["width"] - added["width"]


def test_budgets_redraw_the_figure(browser, file):
    with visit(browser, file) as found:
        page = found.page
        figure, form = page.locator("figure#m1-pareto"), page.locator("form.advisor")
        assert figure.locator(".outside, .budget, .within").count() == 0
        form.locator("[name=accuracy]").fill("91")
        form.locator("[name=macs]").fill("1")
        panels = figure.locator("svg[data-price]").count()
        inside = page.locator("table.networks tbody tr:not(.outside)").count()
        assert 0 < inside < page.locator("table.networks tbody tr").count()
        expect(figure.locator(".within")).to_have_count(panels)
        expect(figure.locator("[data-front].outside")).to_have_count(panels)
        expect(figure.locator("[data-network].outside").first).to_be_attached()
        expect(figure.locator(".tip.outside").first).to_be_attached()
        assert figure.locator(".budget").count() >= panels  # the accuracy in every panel, MACs where the axis has them
        assert figure.locator(".takeaway").inner_text().startswith("Without the budgets below")
        form.get_by_role("button", name="Clear").click()
        expect(figure.locator(".outside, .budget, .within")).to_have_count(0)
        assert not figure.locator(".takeaway").inner_text().startswith("Without")
        assert found.console == []


def test_a_budget_line_is_where_the_axis_has_that_value(browser, file):
    with visit(browser, file) as found:
        page = found.page
        row = page.locator("table.networks tbody tr").first
        name, seconds = row.get_attribute("data-name"), float(row.get_attribute("data-seconds"))
        page.locator("form.advisor [name=seconds]").fill(repr(1e3 * seconds))
        point = page.locator("#m1-pareto svg[data-price=seconds] .tip").filter(has=page.get_by_text(f"{name}:"))
        mark = point.evaluate("mark => { const box = mark.getBoundingClientRect(); return box.left + box.width / 2; }")
        line = page.locator("#m1-pareto svg[data-price=seconds] .budget").bounding_box()
        assert line["x"] + line["width"] / 2 == pytest.approx(mark, abs=1)


@pytest.mark.parametrize(("text", "number"), [("0,3", 0.3), ("0.3", 0.3), (".3", 0.3), ("3e-1", 0.3)])
def test_a_decimal_comma_is_a_decimal_point(browser, file, text, number):
    with visit(browser, file) as found:
        page, limit = found.page, found.page.locator("form.advisor [name=seconds]")
        limit.press_sequentially(text)
        rows = page.locator("table.networks tbody tr:not(.outside)").evaluate_all(
            "rows => rows.map(row => Number(row.dataset.seconds))"
        )
        every = page.locator("table.networks tbody tr").evaluate_all(
            "rows => rows.map(row => Number(row.dataset.seconds))"
        )
        assert sorted(rows) == sorted(seconds for seconds in every if 1e3 * seconds <= number)


@pytest.mark.parametrize("text", ["-1", "1,000", "three"])
def test_what_is_no_number_is_refused_with_a_word(browser, file, text):
    with visit(browser, file) as found:
        limit = found.page.locator("form.advisor [name=seconds]")
        limit.fill(text)
        expect(limit).to_have_attribute("aria-invalid", "true")
        assert "write a number" in found.page.locator("form.advisor output").inner_text()
        assert found.page.locator("table.networks tbody tr.outside").count() == 0


def test_a_link_with_a_budget_opens_at_the_form(browser, file):
    with visit(browser, file, address=f"{file.resolve().as_uri()}#m1.accuracy=90") as found:
        expect(found.page.locator("form.advisor")).to_be_in_viewport()
    with visit(browser, file, address=f"{file.resolve().as_uri()}#m1.accuracy=90&at=m1-growth") as found:
        expect(found.page.locator("form.advisor")).not_to_be_in_viewport()


def test_the_last_section_is_named_and_stands_at_the_top(browser, file):
    with visit(browser, file) as found:
        page = found.page
        page.locator(".contents a", has_text="Data").click()
        expect(page.locator(".contents a[aria-current]")).to_have_text("Data and citation")
        assert page.locator("#data").bounding_box()["y"] < 100


def test_links_to_records_have_distinct_names_and_the_time_has_its_record(browser, file):
    with visit(browser, file) as found:
        page = found.page
        for details in page.locator(".answer details").all():
            names = details.locator("a").evaluate_all("links => links.map(link => link.ariaLabel)")
            assert len(names) == len(set(names))
        choice = page.locator(".answer li").first
        quoted = choice.locator("a", has_text="time of a pass").first.get_attribute("href")
        cells = page.locator("table.networks td.number:has(a)")
        assert quoted in cells.locator("a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
        assert re.search(r"s\s/\s64$", cells.first.inner_text())


def test_a_chart_has_the_study_the_error_bars_the_front_and_a_star(browser, file):
    with visit(browser, file) as found:
        page = found.page
        page.locator("#m1-pareto button.chart").click()
        expect(page.locator("dialog#chart")).to_have_attribute("data-drawn", "1")
        study = page.locator("#m1-choice h3.study").first.inner_text()
        assert study in page.locator("dialog#chart h2").inner_text()
        plots = json.loads(page.locator("#m1-pareto script.plots").text_content())
        timed = next(plot for plot in plots if plot["price"] == "seconds")
        assert len(timed["front"]) > 0
        assert all(left < x < right for _, x, _, _, _, _, _, left, right in timed["points"])
        assert all(low <= y <= high for _, _, y, low, high, *_ in timed["points"])
        page.set_viewport_size(PHONE)
        box, panel = page.locator("dialog#chart").bounding_box(), page.locator("dialog [name=panel]").bounding_box()
        assert panel["x"] + panel["width"] <= box["x"] + box["width"]
        assert found.console == []


def test_the_chart_has_a_shape_for_every_look_but_the_circle(page):
    text = page[page.index("const SHAPES") :].partition("};")[0]
    assert {name for name in LOOKS if not re.search(rf"\b{name}:", text)} == {"plain"}


def printed(page):
    page.emulate_media(media="print")
    return page


def test_print_has_the_data_the_citation_and_the_state_of_the_form(browser, file):
    with visit(browser, file, size=DESKTOP) as found:
        found.page.locator("form.advisor [name=accuracy]").fill("90")
        page = printed(found.page)
        for selector in ("#data", "#data .cite", "form.advisor output", "form.advisor [name=accuracy]"):
            expect(page.locator(selector)).to_be_visible()
        expect(page.locator("form.advisor [name=seconds]")).not_to_be_visible()


def test_print_keeps_values_citation_and_the_heads_of_tables_whole(browser, file):
    def all_are(style, value, selector):
        found = page.locator(selector).evaluate_all(f"all => all.map(each => getComputedStyle(each).{style})")
        return len(found) > 0 and set(found) == {value}

    with visit(browser, file, size=DESKTOP) as found:
        page = printed(found.page)
        assert all_are("whiteSpace", "nowrap", ".scroll:not(.tall) td.number")
        assert all_are("breakBefore", "avoid", ".scroll:not(.tall) tbody tr:first-child")
        assert all_are("breakInside", "avoid", "pre.bibtex")


def test_print_has_margins_and_figures_that_can_be_read(browser, file, page):
    assert re.search(r"@page \{ margin: 1\dmm", page)
    paper = {"width": round(184 / 25.4 * 96), "height": 1000}  # A4 within its margins
    with visit(browser, file, size=paper) as found:
        heights = printed(found.page).evaluate(TYPE)
        assert min(heights) * 72 / 96 >= 6  # points
        assert max(heights) * 72 / 96 <= 9
        kept = found.page.locator("figure.n2").first
        assert kept.evaluate("figure => getComputedStyle(figure).breakInside") == "avoid"
