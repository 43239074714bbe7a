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
)
from cuvis_fleet.progress import Progress
from cuvis_fleet.resolved_config import ResolvedConfig
from cuvis_fleet.result import Result
from cuvis_fleet.saved_trainrun import SavedTrainRun
from cuvis_fleet.session import SavedPipeline, Session

__all__ = [
    "Cancelled",
    "Client",
    "Conflict",
    "CuvisFleetError",
    "Exhausted",
    "InvalidInput",
    "NotAllowed",
    "NotFound",
    "NotImplementedYet",
    "OutOfOrder",
    "Progress",
    "ResolvedConfig",
    "Result",
    "SavedPipeline",
    "SavedTrainRun",
    "ServerDefect",
    "Session",
    "TimedOut",
    "Unavailable",
    "connect",
]
