"""Client library of cuvis-fleet: hyperspectral pipelines on a server, numpy in and out.

::

    import cuvis_fleet

    with cuvis_fleet.connect("localhost:50051") as client, client.session() as session:
        session.apply(session.resolve("trainrun", "trainrun/rx_statistical", ["data.batch_size=1"]))
        for progress in session.train("statistical"):
            print(progress.message)
        result = session.infer(cube, wavelengths_nm, outputs=["scores", "decisions"])
        print(result["scores"].shape)
"""

from cuvis_fleet.capabilities import Capabilities
from cuvis_fleet.client import Client, connect
from cuvis_fleet.errors import (
    Cancelled,
    Conflict,
    CuvisFleetError,
    Exhausted,
    InvalidInput,
    NotAllowed,
    NotFound,
    NotImplementedYet,
    OutOfOrder,
    ServerDefect,
    TimedOut,
    Unavailable,
    WrongArgument,
)
from cuvis_fleet.findings import Findings
from cuvis_fleet.node_info import NodeInfo
from cuvis_fleet.node_times import NodeTimes
from cuvis_fleet.pipeline_info import PipelineInfo
from cuvis_fleet.port import Port
from cuvis_fleet.progress import Progress
from cuvis_fleet.prompts import Box, Point
from cuvis_fleet.resolved_config import ResolvedConfig
from cuvis_fleet.result import Result
from cuvis_fleet.retry_policy import RetryPolicy
from cuvis_fleet.saved_pipeline import SavedPipeline
from cuvis_fleet.saved_trainrun import SavedTrainRun
from cuvis_fleet.session import Session

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
    "NotImplementedYet",
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
    "WrongArgument",
    "connect",
]
