import re
from html import unescape

import pytest

from reports.__main__ import main
from reports.exports.summary import MOST_ROWS, summary, summary_lines
from reports.page.page import render

from ..conftest import both_devices, cost_record, every_record, failed_record
from ..test_command import results


@pytest.fixture(scope="module")
def text():
    return "\n".join(summary_lines(summary(every_record())))


@pytest.mark.usefixtures("no_figures")
def test_it_says_what_the_first_screen_of_the_page_says(text):
    sentences = [line[2:] for line in text.splitlines() if re.match("- (Cost|Saving|Gain)", line)]
    assert [sentence.split(":")[0].split(",")[0] for sentence in sentences] == ["Cost", "Saving", "Gain"]
    shown = unescape(re.sub("<[^>]*>", "", render(every_record()))).replace("\u2060", "").replace("\u00a0", " ")
    parts = [
        part for sentence in sentences for part in re.split(r"; |(?<= %): ", unescape(sentence))
    ]  # the page lists gains
    assert [part for part in parts if part.partition(" (mean ± s.d.")[0] not in shown] == []
    assert "| layer | inference | training pass |" in text
    assert [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| ")][:6] == [
        "| layer",
        "| ---",
        "| plain",
        "| lifting",
        "| full",
        "| separable",
    ]


def test_failures_and_noise_are_in_it(text):
    assert "Noise: The minimum detectable effect is" in text
    assert "| timeout | no answer within 60 s |" in text


def test_a_layer_of_the_user_is_in_it():
    own = cost_record(variant="custom", implementation="mine:Layer")
    lines = summary_lines(summary([cost_record(variant="plain"), cost_record(variant="full"), own]))
    assert "Layers of other libraries and of users, compared with ours:" in lines
    assert [line.split(" | ")[1] for line in lines if line.startswith("| mine:Layer | ")] == ["full"]


def test_nothing_of_the_records_is_mark_up(text):
    assert "<script" not in text
    assert "&#60;script" in text
    assert set(re.findall(r"<[^>]*>", text)) == {"<details>", "<summary>", "</summary>", "</details>"}


def test_a_long_table_is_cut_and_counted():
    lines = summary_lines(
        summary([failed_record(f"reason {number}", channels=number) for number in range(1, MOST_ROWS + 6)])
    )
    assert sum(line.startswith("| failed") for line in lines) == MOST_ROWS
    assert "… and 5 more." in lines


def test_machines_have_parts_of_their_own():
    there = cost_record()
    there["provenance"]["cpu"] = "Another <CPU>"
    lines = summary_lines(summary([there, cost_record(), cost_record(variant="full")]))
    assert [line for line in lines if line.startswith("### ")] == [
        "### Made-up CPU, 2 cores",
        "### Another &#60;CPU&#62;, 2 cores",
    ]
    assert any("nothing is compared across them" in line for line in lines)


def test_the_command_prints_it(tmp_path, capsys):
    assert main(["summary", "--results", results(tmp_path / "r", cost_record())]) == 0
    assert capsys.readouterr().out.startswith("## What group equivariance costs")
    assert main(["summary", "--results", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("error: no results in ")


def test_devices_are_named_and_the_gpu_comes_first():
    lines = summary_lines(summary(both_devices()))
    heads = [i for i, line in enumerate(lines) if line.startswith("### ")]
    assert [lines[i] for i in heads] == ["### Made-up GPU in Made-up CPU, 2 cores", "### Made-up CPU, 2 cores"]
    assert [lines[i + 2] for i in heads] == [
        "Device: the GPU Made-up GPU, in a machine with Made-up CPU, 2 cores.",
        "Device: the processor Made-up CPU, 2 cores.",
    ]
    assert any(line.startswith("- Shown first: a GPU") for line in lines[: heads[0]])
    gains = [line for line in lines if line.startswith("- Gain")]
    assert ["trained on Made-up GPU" in line for line in gains] == [True, False]
    assert not any(line.startswith("- Shown first") for line in summary_lines(summary(every_record())))
