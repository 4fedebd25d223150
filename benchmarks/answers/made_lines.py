"""Lines of a written page that a command makes from records: they stand between two comments of the page."""

import re
from collections.abc import Iterable

END = "<!-- End of the lines that are made. -->"


def begin(command: str) -> str:
    """Return the comment in front of the lines that a command makes."""
    return f"<!-- The lines from here to the next comment are made by `{command}`. -->"


def filled(text: str, command: str, lines: Iterable[str]) -> str:
    """Return the text of a page with these lines between the comments of a command.

    Raises:
        ValueError: when the page does not have both comments once.
    """
    between = re.compile(f"(?<={re.escape(begin(command))}\n).*?(?={re.escape(END)})", re.DOTALL)
    made, count = between.subn(lambda _: "".join(f"{line}\n" for line in lines), text)
    if count != 1:
        raise ValueError(
            f"the page has {count} places for the lines; needed: one, between {begin(command)!r} and {END!r}"
        )
    return made
