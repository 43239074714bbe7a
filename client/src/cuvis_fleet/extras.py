"""Libraries that come with an extra of the package, and are not needed otherwise."""

from collections.abc import Iterator
from contextlib import contextmanager


class MissingExtra(ImportError):
    """A library is not installed; the text names the extra that brings it."""


@contextmanager
def needs_extra(extra: str, purpose: str) -> Iterator[None]:
    """Import libraries of an extra inside the block.

    Args:
        extra: its name.
        purpose: what the libraries are for, in the plural, such as ``ENVI files``.

    Raises:
        MissingExtra: one of them is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"{purpose} need {error.name}, which is not installed: "
            f"pip install 'cuvis-fleet[{extra}]'"
        ) from error
