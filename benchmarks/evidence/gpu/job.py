"""A ``Job``: the settings of one part, and the files that the parts share."""

import dataclasses
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.evidence.gpu.findings import append

DEVICES = ("cuda", "cpu")
SCALES = ("full", "smoke")


@dataclass(frozen=True)
class Job:
    """The settings of one part.

    Args:
        part: name of the part.
        out: folder of all results.
        device: "cuda" or "cpu".
        scale: "full", or "smoke" for sizes that a processor computes in seconds.
        seconds: time that the part may take.
        data_root: folder of the images of MNIST; None trains on the digits that scikit-learn contains.
        began: time at which the part began, on the monotonic clock of its process.
    """

    part: str
    out: Path
    device: str
    scale: str
    seconds: float
    data_root: Path | None = None
    began: float = dataclasses.field(default_factory=time.monotonic, compare=False)

    @property
    def findings(self) -> Path:
        """The file with what the parts found, a line for each finding."""
        return self.out / "findings.jsonl"

    @property
    def results(self) -> Path:
        """The folder of the records that were measured with PyTorch's operators."""
        return self.out / "results"

    @property
    def results_triton(self) -> Path:
        """The folder of the records that were measured with the operators in Triton."""
        return self.out / "results-triton"

    @property
    def page(self) -> Path:
        """The report of ``results``."""
        return self.out / "report.html"

    def note(self, **finding: Any) -> None:
        """Add a finding of the part to the file, and print it."""
        append(self.findings, {"part": self.part, **finding})
        print(
            *(f"{key}={value:.4g}" if isinstance(value, float) else f"{key}={value}" for key, value in finding.items())
        )

    def left(self) -> float:
        """Return the seconds that the part has left."""
        return self.began + self.seconds - time.monotonic()

    def to_json(self) -> str:
        """Write the settings for another process, which begins its time when it reads them."""
        fields = dataclasses.asdict(self)
        del fields["began"]
        return json.dumps(fields, default=str)  # the paths

    @classmethod
    def from_json(cls, text: str) -> "Job":
        """Read what ``to_json`` wrote."""
        fields = json.loads(text)
        root = fields.pop("data_root")
        return cls(**{**fields, "out": Path(fields["out"])}, data_root=None if root is None else Path(root))
