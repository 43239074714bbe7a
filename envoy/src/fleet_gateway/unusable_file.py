"""The error for files that an operator has configured."""


class UnusableFile(ValueError):
    """A configured file cannot be used; the text names it and the reason, but no secrets."""
