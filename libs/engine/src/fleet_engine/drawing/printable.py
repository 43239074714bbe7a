"""Names as a figure can show them."""

MOST_CHARACTERS = 60


def printable(text: str, most: int = MOST_CHARACTERS) -> str:
    r"""Return `text` on one line, without characters that no font has, shortened with an ellipsis.

    >>> printable("mean\nof\x00 scores")
    'mean of scores'
    """
    words = " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())
    return words if len(words) <= most else f"{words[: most - 1]}…"
