"""What a caller sent, as it may stand in an error text."""


def shown(text: str, most_characters: int = 80) -> str:
    """`text` bounded in length, with ``?`` for what cannot be printed."""
    cut = text if len(text) <= most_characters else f"{text[:most_characters]}..."
    return "".join(letter if letter.isprintable() else "?" for letter in cut)
