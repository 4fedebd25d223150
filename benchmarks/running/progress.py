"""Progress on stderr: a bar on a terminal, and a plain line now and then in a log."""

import sys
import time
from typing import Any

from tqdm import tqdm

# A log gets a line at the start, at most one in this many seconds, and one at the end.
LOG_SECONDS = 60.0
LOG_FORMAT = "{desc}: {n:.0f} of {total:.0f} {unit}s after {elapsed}, {remaining} to go{postfix}"


class Progress(tqdm):  # type: ignore[type-arg]  # the class is generic in the stubs alone
    """tqdm's bar where stderr is a terminal; elsewhere, whole lines instead of a bar that is drawn over and over."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.plain = not sys.stderr.isatty()
        self.printed = -LOG_SECONDS
        if options.get("total") == 0:  # nothing to do is no news
            options |= {"disable": True}
        if self.plain:
            options |= {"bar_format": LOG_FORMAT, "mininterval": LOG_SECONDS, "maxinterval": LOG_SECONDS}
        super().__init__(*arguments, **{"dynamic_ncols": True, **options})

    def display(self, msg: str | None = None, pos: int | None = None, *, last: bool = False) -> None:
        """Draw the bar; in a log, print a line if it is time."""
        if not self.plain:
            super().display(msg, pos)
            return
        now = time.perf_counter()
        if last or now - self.printed >= LOG_SECONDS:
            self.printed = now
            print(str(self), file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leave the bar, or print the last line of a log."""
        if self.plain and not self.disable:
            self.display(last=True)
            self.sp = None  # tqdm then leaves its own last line out
        super().close()
