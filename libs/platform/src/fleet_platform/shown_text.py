"""Text from a caller, prepared for error messages."""


def shown(text: str, max_characters: int = 80) -> str:
    """Return `text`, limited in length and with ``?`` in place of unprintable characters."""
    cut = text if len(text) <= max_characters else f"{text[:max_characters]}..."
    return "".join(letter if letter.isprintable() else "?" for letter in cut)
