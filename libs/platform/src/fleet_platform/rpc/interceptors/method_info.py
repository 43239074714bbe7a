"""One call as the layers see it."""

from dataclasses import dataclass

import grpc

_QUIET = ("/grpc.health.", "/grpc.reflection.")


@dataclass(slots=True)
class MethodInfo:
    """One call on its way through the layers."""

    path: str
    """``/package.Service/Method``."""

    context: grpc.ServicerContext
    """gRPC's own view of the call."""

    @property
    def method(self) -> str:
        """``Method``."""
        return self.path.rpartition("/")[2]

    @property
    def quiet(self) -> bool:
        """Whether this is a question of the infrastructure, asked all the time."""
        return self.path.startswith(_QUIET)
