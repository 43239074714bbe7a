"""What is raised about a file that an operator named."""


class UnusableFile(ValueError):
    """The file cannot be used; the text says which and why, and repeats no secret."""
