"""Errors of graphs and their use."""

from fleet_platform.errors import InvalidInput, OutOfOrder


class GraphInvalid(InvalidInput):
    """The pipeline's config does not describe a runnable graph; the text names the place."""


class NotFitted(OutOfOrder):
    """A node needs statistics that were neither fitted nor loaded."""
