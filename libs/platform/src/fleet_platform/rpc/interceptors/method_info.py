"""The call that the interceptors work on."""

from dataclasses import dataclass

import grpc

_QUIET = ("/grpc.health.", "/grpc.reflection.")


@dataclass(slots=True)
class MethodInfo:
    """The method and the context of one call."""

    path: str
    """``/package.Service/Method``."""

    context: grpc.ServicerContext
    """gRPC's context of the call."""

    @property
    def method(self) -> str:
        """``Method``."""
        return self.path.rpartition("/")[2]

    @property
    def quiet(self) -> bool:
        """Whether this is a frequent infrastructure call: a health check or reflection."""
        return self.path.startswith(_QUIET)
