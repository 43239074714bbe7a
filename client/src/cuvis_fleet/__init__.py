"""Client library of cuvis-fleet: hyperspectral pipelines on a server, with NumPy arrays.

::

    import cuvis_fleet

    with cuvis_fleet.connect("localhost:50051") as client, client.session() as session:
        session.apply(session.resolve("trainrun", "trainrun/rx_statistical", ["data.batch_size=1"]))
        for progress in session.train("statistical"):
            print(progress.message)
        result = session.infer(cube, wavelengths_nm, outputs=["scores", "decisions"])
        print(result["scores"].shape)
"""

from cuvis_fleet.client import Client, connect
from cuvis_fleet.errors import (
    Cancelled,
    Conflict,
    CuvisFleetError,
    Exhausted,
    InvalidInput,
    NotAllowed,
    NotFound,
    OutOfOrder,
    ServerDefect,
    TimedOut,
    Unavailable,
    Unimplemented,
    WrongArgument,
)
from cuvis_fleet.models.capabilities import Capabilities
from cuvis_fleet.models.findings import Findings
from cuvis_fleet.models.node_info import NodeInfo
from cuvis_fleet.models.node_times import NodeTimes
from cuvis_fleet.models.pipeline_info import PipelineInfo
from cuvis_fleet.models.port import Port
from cuvis_fleet.models.progress import Progress
from cuvis_fleet.models.prompts import Box, Point
from cuvis_fleet.models.resolved_config import ResolvedConfig
from cuvis_fleet.models.result import Result
from cuvis_fleet.models.saved_pipeline import SavedPipeline
from cuvis_fleet.models.saved_trainrun import SavedTrainRun
from cuvis_fleet.session import Session
from cuvis_fleet.transport.retry_policy import RetryPolicy

__all__ = [
    "Box",
    "Cancelled",
    "Capabilities",
    "Client",
    "Conflict",
    "CuvisFleetError",
    "Exhausted",
    "Findings",
    "InvalidInput",
    "NodeInfo",
    "NodeTimes",
    "NotAllowed",
    "NotFound",
    "OutOfOrder",
    "PipelineInfo",
    "Point",
    "Port",
    "Progress",
    "ResolvedConfig",
    "Result",
    "RetryPolicy",
    "SavedPipeline",
    "SavedTrainRun",
    "ServerDefect",
    "Session",
    "TimedOut",
    "Unavailable",
    "Unimplemented",
    "WrongArgument",
    "connect",
]
