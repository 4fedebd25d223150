"""Counts what the operators of one pass compute and move: MACs and bytes, by phase, module and operator."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from benchmarks.measure.executed_macs import executed_macs
from benchmarks.measure.roofline import bytes_of_call
from benchmarks.profiling.attribution import placed
from benchmarks.profiling.events import COUNTED, events_of
from benchmarks.profiling.profile import Count
from benchmarks.profiling.ranges import recorder, run_in_spans, span, spans_of_modules
from benchmarks.workloads.workload import Workload


@dataclass(frozen=True)
class _Call:
    operator: str
    macs: int | None
    bytes: int


class _Counting(TorchDispatchMode):
    """Notes each operator that torch's dispatcher hands to a device, in a span with the number of the call."""

    def __init__(self) -> None:
        TorchDispatchMode.__init__(self)  # not super(): mypy allows calls of torch's untyped functions only
        self.calls: list[_Call] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func.namespace == "profiler":
            return func(*args, **kwargs)
        if torch.is_inference_mode_enabled():  # operators that consist of others arrive here whole
            with self:
                result = func.decompose(*args, **kwargs)
            if result is not NotImplemented:
                return result
        number = len(self.calls)
        name = func.name().partition(".")[0]
        self.calls.append(_Call(name, None, 0))
        with span(f"{COUNTED}{number}"):
            result = func(*args, **kwargs)
        macs = executed_macs(func, args, kwargs, result)
        self.calls[number] = _Call(name, macs, bytes_of_call(func, (args, kwargs), result) or 0)
        return result


def counts(workload: Workload) -> list[Count]:
    """Count the calls of one pass. A pass must have run before; a compiled or captured pass is counted as neither."""
    workload.prepare()
    counting = _Counting()
    with (
        spans_of_modules(workload),
        recorder("cpu") as recorded,
        counting,
    ):
        run_in_spans(workload)
    workload.prepare()
    (event,) = events_of(recorded.kineto_results)
    found: dict[tuple[str, str, str], Count] = {}
    for each in placed(event).every():
        if each.event.name.startswith(COUNTED):
            call = counting.calls[int(each.event.name.removeprefix(COUNTED))]
            key = each.place.phase, each.place.module, call.operator
            found[key] = found.get(key, Count(*key, 0, 0, 0)).plus(call.macs, call.bytes)
    return list(found.values())
