"""The only place that builds gRPC servers and channels.

A service hands over its handlers, ``(request, Call) -> response``, and learns nothing of gRPC.
Around each call, whatever its type, stand the same layers:
``tracing > access > errors > identity > bound``.
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
