"""Which service answers which method of ``cuvis_ai.v1.CuvisAIService``.

The gateway's routes and each service's method table are both made from this mapping; a test holds
it equal to the proto.
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
