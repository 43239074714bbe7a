"""The methods of ``cuvis_ai.v1.CuvisAIService``: which service answers them, and how to retry them.

The gateway's routes, each service's method table and the client's retries are derived from these
tables; a test compares them with the proto.
"""

from collections.abc import Mapping
from types import MappingProxyType

SERVICE_NAME = "cuvis_ai.v1.CuvisAIService"

METHODS_BY_SERVICE: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "session": frozenset(
            {
                "CreateSession",
                "CloseSession",
                "SetSessionSearchPaths",
                "LoadPlugin",
                "LoadPlugins",
                "ListLoadedPlugins",
                "GetPluginInfo",
                "ClearPluginCache",
            }
        ),
        "config": frozenset(
            {
                "ResolveConfig",
                "GetParameterSchema",
                "ValidateConfig",
                "GetTrainingCapabilities",
                "ListAvailablePipelines",
                "ListAvailablePipelinees",
                "GetPipelineInfo",
            }
        ),
        "trainer": frozenset(
            {
                "SetTrainRunConfig",
                "Train",
                "StopTrain",
                "GetTrainStatus",
                "SaveTrainRun",
                "RestoreTrainRun",
            }
        ),
        "inference": frozenset(
            {
                "LoadPipeline",
                "LoadPipelineWeights",
                "SavePipeline",
                "Inference",
                "GetPipelineInputs",
                "GetPipelineOutputs",
                "GetPipelineVisualization",
                "ListAvailableNodes",
                "SetProfiling",
                "GetProfilingSummary",
            }
        ),
    }
)
"""Methods by the service that answers them."""

NOT_IDEMPOTENT: frozenset[str] = frozenset(
    {
        "CreateSession",  # a second call would create a second session
        "CloseSession",  # a second call would answer NOT_FOUND
        "RestoreTrainRun",  # creates a session
        "ClearPluginCache",  # its answer counts what it removed
    }
)
"""Methods for which a second call has a different effect or answer from the first one."""

STREAMING: frozenset[str] = frozenset({"Train"})
"""Methods that stream. Only the client can repeat them: it knows which messages it has received."""
