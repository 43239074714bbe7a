"""gRPC servers and channels; no other package creates any.

A service provides handlers, ``(request, Call) -> response``, which are independent of gRPC. The
same interceptors run around each call, whatever its type:
``tracing > access log > errors > identity > concurrency limit``.
"""

from fleet_platform.rpc.call import Call
from fleet_platform.rpc.channel import connect
from fleet_platform.rpc.lifecycle import RunningService, run_service, start_service
from fleet_platform.rpc.service import Codec, Service
from fleet_platform.rpc.slot import acquire_slot
from fleet_platform.rpc.status import STATUS_OF

__all__ = [
    "STATUS_OF",
    "Call",
    "Codec",
    "RunningService",
    "Service",
    "acquire_slot",
    "connect",
    "run_service",
    "start_service",
]
