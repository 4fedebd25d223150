"""Contenders that share a process must leave it as it was: what they change is found, put back and reported."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.measure.python_settings import PYTHON_SETTINGS
from benchmarks.measure.setting import Setting
from benchmarks.measure.torch_settings import TORCH_SETTINGS
from benchmarks.records.outcome import Interfered

# Reading them all takes less than 0.1 ms.
SETTINGS = (*PYTHON_SETTINGS, *TORCH_SETTINGS)
# The characters of a value that are quoted, and the number of changes that are named.
QUOTED, NAMED = 60, 4


class ProcessState:
    """The values of all ``SETTINGS`` when this object is made, which the code of contenders must not change.

    If the contenders are ``compiled``, those are left out that torch's compiler changes.
    """

    def __init__(self, *, compiled: bool) -> None:
        self.values = [(setting, _read(setting)) for setting in SETTINGS if not (compiled and setting.compiler)]

    @contextlib.contextmanager
    def kept(self, *, building: bool = False) -> Iterator[None]:
        """Run code of a contender, and put back afterwards what it has changed.

        Args:
            building: whether the code builds the contender, and may thus import packages.

        Raises:
            Interfered: when the code changed a setting that is not ``ordinary``; the message says from what to what.
                The settings are put back as far as possible, but pools of threads, caches and the like may differ, so
                nothing else should be measured in this process.
        """
        try:
            yield
        except Exception as error:
            if changes := self.put_back(building=building):
                raise Interfered(f"{_sentence(changes)}; then {type(error).__name__}: {error}") from error
            raise
        if changes := self.put_back(building=building):
            raise Interfered(_sentence(changes))

    def put_back(self, *, building: bool = False) -> list[str]:
        """Put back all settings that differ; return each change that is a fault in words."""
        changes = []
        for setting, before in self.values:
            now = _read(setting)
            if _differ(now, before):
                back = _put(setting, before)
                if not (setting.ordinary or (building and setting.imports)):
                    changes += [_change(setting, before, now) + ("" if back else ", which cannot be put back")]
        return changes


def _read(setting: Setting) -> Any:
    """Return the value of a setting; its error where it cannot be read, such as the working directory once removed."""
    try:
        return setting.get()
    except Exception as error:
        return f"unreadable: {error}"


def _put(setting: Setting, value: Any) -> bool:
    """Put a setting back, and return whether it has the value now."""
    if setting.put is None:
        return False
    with contextlib.suppress(Exception):
        setting.put(value)
    return not _differ(_read(setting), value)


def _differ(now: Any, before: Any) -> bool:
    try:
        return bool(now != before)
    except Exception:  # a value of a contender's, which cannot be compared
        return True


def _sentence(changes: list[str]) -> str:
    more = [f"{len(changes) - NAMED} more"] if len(changes) > NAMED else []
    return f"changed {', '.join(changes[:NAMED] + more)}"


def _change(setting: Setting, before: Any, now: Any) -> str:
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
        pairs = (f"{_text(name)}: {_text(before.get(name))} to {_text(now.get(name))}" for name in names[:NAMED])
        return f"{setting.name} ({', '.join(pairs)})"
    return f"{setting.name} from {_text(before)} to {_text(now)}"


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        text = value.decode(errors="replace")
    elif isinstance(value, set | frozenset):
        text = ", ".join(map(str, sorted(value))) or "none"
    else:
        text = str(value)
    return text if len(text) <= QUOTED else f"{text[:QUOTED]}…"
