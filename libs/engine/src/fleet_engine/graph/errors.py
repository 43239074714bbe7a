"""What can be wrong with a graph or with the moment of its use."""

from fleet_platform.errors import InvalidInput, OutOfOrder


class GraphInvalid(InvalidInput):
    """The pipeline's config does not describe a graph that can run; the text names the place."""


class NotFitted(OutOfOrder):
    """A node needs statistics that were neither fitted nor loaded."""
