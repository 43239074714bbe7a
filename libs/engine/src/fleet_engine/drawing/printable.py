"""Printable names for figures."""

MAX_CHARACTERS = 60


def printable(text: str, max_characters: int = MAX_CHARACTERS) -> str:
    r"""Return `text` on one line, without unprintable characters, shortened with an ellipsis.

    >>> printable("mean\nof\x00 scores")
    'mean of scores'
    """
    words = " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())
    return words if len(words) <= max_characters else f"{words[: max_characters - 1]}…"
