"""The supported training options, in the form that clients of every release read."""

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_schemas import OPTIMIZERS, SCHEDULERS

_CHECKS = "patience"  # PyTorch's name for the parameter  # wording: ok


def training_capabilities() -> pb.GetTrainingCapabilitiesResponse:
    """Return the optimizers, schedulers and callbacks, with the parameters that releases list."""
    return pb.GetTrainingCapabilitiesResponse(
        supported_optimizers=OPTIMIZERS,
        supported_schedulers=SCHEDULERS,
        supported_callbacks=[
            pb.CallbackTypeInfo(
                type="EarlyStopping",
                description="Ends a training run when the monitored value stops improving.",
                parameters=[
                    _required("monitor", "string", "The monitored value, such as val/bce."),
                    _optional(_CHECKS, "int", "10", "Checks without improvement."),
                    _optional(
                        "mode",
                        "string",
                        "min",
                        "Whether lower (min) or higher (max) is better.",
                        "in ['min', 'max']",
                    ),
                ],
            ),
            pb.CallbackTypeInfo(
                type="ModelCheckpoint",
                description="Keeps the best weights and restores them when the training run ends.",
                parameters=[
                    _required("dirpath", "string", "Folder within the server's output folder."),
                    _required("monitor", "string", "The value that determines the best weights."),
                    _optional(
                        "mode", "string", "max", "Whether lower (min) or higher (max) is better."
                    ),
                    _optional("save_top_k", "int", "1", "Number of best weights to keep; -1: all."),
                ],
            ),
            pb.CallbackTypeInfo(
                type="LearningRateMonitor",
                description="Reports the learning rate as a metric.",
                parameters=[
                    _optional(
                        "logging_interval",
                        "string",
                        "epoch",
                        "When the rate is reported.",
                        "in ['step', 'epoch']",
                    ),
                    _optional("log_momentum", "bool", "False", "Report the momentum too."),
                ],
            ),
        ],
        optimizer_params=pb.OptimizerParamsSchema(
            parameters=[
                _required("lr", "float", "Learning rate, above 0 and at most 1."),
                _optional("weight_decay", "float", "0.0", "L2 penalty on the weights."),
                _optional(
                    "betas", "tuple", "", "Decay rates of the two moments; adam and adamw only."
                ),
            ]
        ),
        scheduler_params=pb.SchedulerParamsSchema(
            parameters=[
                _optional("monitor", "string", "", "plateau: the monitored value."),
                _optional("factor", "float", "0.1", "plateau: factor of each reduction."),
                _optional(_CHECKS, "int", "10", "plateau: epochs without improvement."),
            ]
        ),
    )


def _required(name: str, kind: str, description: str) -> pb.ParamSpec:
    return pb.ParamSpec(name=name, type=kind, required=True, description=description)


def _optional(
    name: str, kind: str, default: str, description: str, validation: str = ""
) -> pb.ParamSpec:
    return pb.ParamSpec(
        name=name,
        type=kind,
        default_value=default,
        description=description,
        validation=validation,
    )
