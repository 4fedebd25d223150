"""The provenance of a record states where, when and with what it was measured, also without git."""

import json
import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.records.provenance import ROOT, cpu_frequency, git_state, moment, processor, provenance, software
from benchmarks.records.record import machine_of
from benchmarks.running.environment import MEASURING_ENVIRONMENT
from benchmarks.statistics.regression import FACTOR
from gcnn_impl import native


def git(directory: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    command = ["git", "-C", str(directory), *identity, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "file").write_text("1")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    return tmp_path


def test_the_commit_of_a_clean_and_of_a_dirty_checkout(checkout: Path) -> None:
    commit = git(checkout, "rev-parse", "HEAD")
    (checkout / "results").write_text("untracked files do not count")
    assert git_state(checkout) == (commit, False)
    (checkout / "file").write_text("2")
    assert git_state(checkout) == (commit, True)


def test_there_is_no_commit_without_our_own_checkout(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    inside = checkout / "copy"
    inside.mkdir()
    assert git_state(inside) == (None, None)  # inside another repository
    assert git_state(tmp_path_factory.mktemp("bare")) == (None, None)


def test_there_is_no_commit_without_git(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert git_state(checkout) == (None, None)


def test_the_environment_names_the_commit_of_a_copy_without_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.records.provenance.git_state", lambda root: (None, None))
    unnamed = software.__wrapped__()
    assert (unnamed["commit"], unnamed["dirty"]) == (None, None)
    monkeypatch.setenv("GCNN_COMMIT", "0123abc")
    named = software.__wrapped__()
    assert (named["commit"], named["dirty"]) == ("0123abc", False)
    monkeypatch.setenv("GCNN_DIRTY", "dirty")
    assert software.__wrapped__()["dirty"] is True
    monkeypatch.setattr("benchmarks.records.provenance.git_state", lambda root: ("from git", False))
    assert software.__wrapped__()["commit"] == "from git"


def test_provenance_is_json_and_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOMP_SPINCOUNT", "10000")
    found = provenance(device="cpu", threads=2, before=moment(), frequencies=[2000.0, None, 1500.0])
    assert set(found) == {
        *("measured_at", "commit", "dirty", "python", "torch", "gcnn_impl", "fvcore", "platform", "cpu", "cores"),
        "cpu_quota",
        *(
            "gpu",
            "device_name",
            "threads",
            "load_before",
            "load_after",
            "load_between",
            "omp_wait_policy",
            "gomp_spincount",
            "glibc_tunables",
            "native",
        ),
        *("frequency_before", "frequency_after", "steal_share", "throttled_periods"),
    }
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    age = datetime.now(UTC) - datetime.fromisoformat(found["measured_at"])
    assert timedelta(seconds=-2) < age < timedelta(minutes=1)
    assert (found["threads"], found["gpu"], found["gomp_spincount"]) == (2, None, "10000")
    assert (found["frequency_before"], found["frequency_after"]) == (2000.0, 1500.0)
    assert found["device_name"] == found["cpu"] != ""
    assert found["native"] == native.status()
    assert found["native"].startswith(("in use", "not in use: "))
    code = {"mine:Layer": "0" * 12}
    assert provenance(device="cpu", threads=2, before=moment(), own_code=code)["own_code"] == code


def test_asv_repeats_the_environment_and_the_factor_which_its_configuration_cannot_import() -> None:
    lines = (ROOT / "asv.conf.json").read_text().splitlines()
    config = json.loads("\n".join(line for line in lines if not line.lstrip().startswith("//")))
    assert config["matrix"]["env_nobuild"].items() >= MEASURING_ENVIRONMENT.items()
    assert config["regressions_thresholds"] == {".*": pytest.approx(FACTOR - 1)}


def test_stolen_time_and_quotas_are_read_from_the_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stat, groups, info = tmp_path / "stat", tmp_path / "cgroup", tmp_path / "cpuinfo"
    quota = tmp_path / "groups" / "service" / "worker" / "cpu.stat"
    quota.parent.mkdir(parents=True)
    monkeypatch.setattr("benchmarks.records.provenance.STAT", stat)
    monkeypatch.setattr("benchmarks.cases.control_groups.MEMBERSHIP", groups)
    monkeypatch.setattr("benchmarks.cases.control_groups.CONTROL_GROUPS", tmp_path / "groups")
    monkeypatch.setattr("benchmarks.records.provenance.CPU_INFO", info)
    nothing = moment()
    assert (nothing.stolen, nothing.ticks, nothing.throttled_periods, cpu_frequency()) == (None, None, None, None)
    assert provenance(device="cpu", threads=1, before=nothing)["steal_share"] is None
    stat.write_text("cpu  100 0 0 900 0 0 0 0 0 0\ncpu0 1 2 3 4 5 6 7 8\n")
    groups.write_text("0::/service/worker\n")
    quota.write_text("usage_usec 5\nnr_throttled 3\n")
    info.write_text("model name\t: Fast\ncpu MHz\t\t: 1000.0\ncpu MHz\t\t: 3000.0\n")
    before = moment()
    stat.write_text("cpu  150 0 0 945 0 0 0 5 0 0\n")
    quota.write_text("nr_throttled 5\n")
    found = provenance(device="cpu", threads=1, before=before)
    assert (found["steal_share"], found["throttled_periods"], cpu_frequency()) == (0.05, 2, 2000.0)


def test_processors_of_one_name_and_different_designs_are_different_machines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "cpuinfo"
    monkeypatch.setattr("benchmarks.records.provenance.CPU_INFO", info)
    x86 = "processor\t: 0\ncpu family\t: {}\nmodel\t\t: 17\nmodel name\t: AMD EPYC\n"
    names = []
    for text in (2 * x86.format(25), 2 * x86.format(26), "CPU implementer\t: 0x41\nCPU part\t: 0xd40\n", "nothing"):
        info.write_text(text)
        names.append(processor())
    assert names[:2] == ["AMD EPYC (family 25, model 17)", "AMD EPYC (family 26, model 17)"]
    assert names[2].endswith(" (implementer 0x41, part 0xd40)")
    assert "(" not in names[3]


def test_git_that_refuses_another_users_checkout_gives_a_warning_with_the_remedy(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    remedy = f"git config --global --add safe.directory {checkout}"
    with pytest.warns(UserWarning, match=f"the commit is unknown: {checkout} is another user's; .*{remedy}$"):
        assert git_state(checkout) == (None, None)


def test_a_quota_makes_another_machine() -> None:
    known = {"cpu": "EPYC", "cores": 8, "gpu": None}
    machines = [
        machine_of({"provenance": {**known, **quota}}) for quota in ({}, {"cpu_quota": 1.5}, {"cpu_quota": 2.0})
    ]
    assert machines[0] == ("EPYC", "8", "None")
    assert machines[1] == ("EPYC", "1.5 of 8", "None")
    assert len(set(machines)) == 3
