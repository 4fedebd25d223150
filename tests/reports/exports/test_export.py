import re
from xml.etree import ElementTree

import pandas as pd
import pytest

from reports.__main__ import main
from reports.exports import export as module
from reports.exports.export import export
from reports.exports.tidy import as_csv
from reports.frames.frames import frames
from reports.frames.history import history

from ..conftest import cost_record, every_record, failed_record, on_gpu, twin_record, undrawn_panels
from ..frames.test_history import A, B, write_asv
from ..test_command import results


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    place = tmp_path_factory.mktemp("export")
    write_asv(place / "asv", A, 1, [1.0, 1.0])
    write_asv(place / "asv", B, 2, [2.0, 1.0])
    lines = [each.text for each in export(every_record(), history(place / "asv"), place / "out")]
    return place / "out", lines


def test_tables_are_the_same_as_csv_and_as_parquet(exported):
    directory, _ = exported
    data = frames(every_record())
    rows = {"costs": len(data.costs), "runs": len(data.runs), "epochs": len(data.epochs), "twins": 2, "history": 4}
    for name, count in rows.items():
        csv = pd.read_csv(directory / "data" / f"{name}.csv")
        parquet = pd.read_parquet(directory / "data" / f"{name}.parquet")
        assert len(csv) == len(parquet) == count
        assert list(csv) == list(parquet)
        for column in parquet.select_dtypes("number"):
            assert csv[column].to_numpy(float) == pytest.approx(parquet[column].to_numpy(float), nan_ok=True)


def test_every_sample_is_a_row(exported):
    directory, _ = exported
    samples = pd.read_parquet(directory / "data" / "samples.parquet")
    record = cost_record(variant="full")
    mine = samples[(samples["id"] == record["id"]) & (samples["kind"] == "cost")]
    assert mine.groupby("round")["seconds"].apply(list).tolist() == record["seconds"]["rounds"]


def test_every_figure_is_there_as_svg_and_pdf_with_its_data(exported):
    directory, lines = exported
    folder = directory / "figures"
    svgs, pdfs, csvs = ({path.stem for path in folder.glob(f"*.{kind}")} for kind in ("svg", "pdf", "csv"))
    assert svgs == pdfs
    assert len(svgs) > 30
    assert {"legend", "stages-legend", "history-0"} <= svgs
    panels = [name for name in svgs if not name.endswith("legend")]
    assert any(f"{len(panels)} panels" in line for line in lines)
    for path in folder.glob("*.svg"):
        root = ElementTree.parse(path).getroot()
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert "var(" not in path.read_text()  # colours are written out, as no page defines variables
    for path in folder.glob("*.pdf"):
        content = path.read_bytes()
        assert content.startswith(b"%PDF")
        assert b"/Type3" not in content
    assert len(csvs) > 15
    for key in csvs:
        assert any(name == key or name.startswith(f"{key}-") for name in svgs)
        assert len(pd.read_csv(folder / f"{key}.csv")) > 0
    captions = (folder / "captions.md").read_text()
    assert set(re.findall(r"^## ([\w-]+):", captions, re.MULTILINE)) == csvs


@pytest.mark.usefixtures("no_figures")
def test_several_machines_have_folders_of_their_own(tmp_path):
    there = cost_record(variant="full")
    there["provenance"]["cpu"] = "Another CPU"
    list(export([cost_record(variant="plain"), cost_record(), there], history(), tmp_path))
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {"machine-1", "machine-2"}


def test_without_pyarrow_there_is_csv_and_a_line_that_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PARQUET_IS", "no_such_module_anywhere")
    lines = [each.text for each in export([failed_record("x")], history(), tmp_path)]
    assert (tmp_path / "data" / "costs.csv").exists()
    assert not list(tmp_path.rglob("*.parquet"))
    assert any(line.startswith("no Parquet: ") for line in lines)


def test_the_command_says_what_it_wrote_and_where(tmp_path, capsys):
    directory = results(tmp_path / "r", failed_record("x"))
    write_asv(tmp_path / "asv", A, 1, [1.0, 1.0])
    bad = tmp_path / "asv" / "here" / "bad.json"
    bad.write_text("{}")
    output = tmp_path / "out"
    assert main(["export", "--results", directory, "--asv", str(tmp_path / "asv"), "--output", str(output)]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"{output}/data/costs.csv and .parquet: 1 rows\n")
    assert re.fullmatch(rf"warning: {bad} is not a result of asv 0\.6: .*; the history of asv is left out\n", err)
    (tmp_path / "file").write_text("")
    assert main(["export", "--results", directory, "--output", str(tmp_path / "file")]) == 2
    assert "error: cannot write" in capsys.readouterr().err


def test_a_processor_and_its_gpu_have_folders_of_their_own_and_rows_that_name_them(tmp_path):
    here = [cost_record(variant=variant, resolution=r) for variant in ("full", "separable") for r in (4, 8)]
    made = [*here, *map(on_gpu, here)]
    with undrawn_panels():
        list(export([*made, *(twin_record(first, 1.01, 1.0, 0.99) for first in made)], history(), tmp_path))
    names = "Made-up GPU in Made-up CPU, 2 cores", "Made-up CPU, 2 cores"
    for number, (name, device) in enumerate(zip(names, ("cuda", "cpu"), strict=True), start=1):
        folder = tmp_path / "figures" / f"machine-{number}"
        assert (folder / "captions.md").read_text().startswith(f"# Figures of {name}\n")
        for key in ("time-forward", "realised", "noise"):
            assert set(pd.read_csv(folder / f"{key}.csv")["device"]) == {device}, key
    costs = pd.read_csv(tmp_path / "data" / "costs.csv")
    assert set(zip(costs["device"], costs["machine"], strict=True)) == {("cuda", names[0]), ("cpu", names[1])}


FORMULAS = ("=HYPERLINK(1)", "+1", "-1+2", "@SUM(A1)", " =1", "＝1", "\u200b=1", "\u00a0\u2060+1")


def test_equal_values_of_different_kinds_stay_apart_and_what_is_missing_is_an_empty_cell():
    values = [1, 1.0, True, 0, False, None, pd.NaT, float("nan"), float("inf")]
    frame = pd.DataFrame({"value": pd.Series(values, dtype=object), "end": "."})
    cells = [line.partition(",")[0] for line in as_csv(frame).splitlines()[1:]]
    assert cells == ["1", "1.0", "True", "0", "False", "", "", "", ""]


def test_a_text_that_a_spreadsheet_would_compute_gets_an_apostrophe(tmp_path):
    frame = pd.DataFrame({"=name": [*FORMULAS, "fine-1", "a=b"], "number": [-1.0] * 10})
    lines = as_csv(frame).splitlines()
    assert lines[0] == "'=name,number"
    assert lines[1:9] == [f"'{text},-1.0" for text in FORMULAS]
    assert lines[9:] == ["fine-1,-1.0", "a=b,-1.0"]


def test_no_text_begins_a_new_row(tmp_path):
    for text in ("a\r=1", "a\x85=1", "a\u0000b"):
        assert as_csv(pd.DataFrame({"name": [text]})).splitlines() == ["name", f"{text[0]}�{text[2:]}"]
    record = cost_record()
    record["provenance"]["cpu"] = "one\r=1"
    with undrawn_panels():
        list(export([record], history(), tmp_path))
    for path in tmp_path.rglob("*.csv"):
        assert b"\r" not in path.read_bytes(), path


def test_no_file_of_an_export_has_a_formula_or_markup_from_a_record(tmp_path):
    records = [cost_record(variant=name, implementation="=cmd|' /C calc'!A0") for name in ("full", "separable")]
    for record in records:
        record["provenance"]["cpu"] = "<script>alert(1)</script>"
    with undrawn_panels():
        list(export([*records, failed_record("=1+1")], history(), tmp_path))
    for path in tmp_path.rglob("*.csv"):
        for cell in pd.read_csv(path, dtype=str, keep_default_na=False).to_numpy().ravel():
            assert not cell.startswith(("=", "@")), path
    for path in tmp_path.rglob("captions.md"):
        assert "<script>" not in path.read_text(encoding="utf-8")
