"""Imports of libraries that optional extras of the package install."""

from collections.abc import Iterator
from contextlib import contextmanager


class MissingExtra(ImportError):
    """A library is not installed; the text names the extra that installs it."""


@contextmanager
def needs_extra(extra: str, purpose: str) -> Iterator[None]:
    """Import libraries of an extra inside the block.

    Args:
        extra: name of the extra.
        purpose: what needs the libraries, in the plural, such as ``ENVI files``.

    Raises:
        MissingExtra: a library is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"{purpose} need {error.name}, which is not installed: "
            f"pip install 'cuvis-fleet[{extra}]'"
        ) from error
