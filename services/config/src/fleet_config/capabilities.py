"""What trainings can be asked for, as clients of every release read it."""

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_schemas import OPTIMIZERS, SCHEDULERS


def training_capabilities() -> pb.GetTrainingCapabilitiesResponse:
    """Optimizers, schedules and callbacks by name, with the parameters that the releases list."""
    return pb.GetTrainingCapabilitiesResponse(
        supported_optimizers=OPTIMIZERS,
        supported_schedulers=SCHEDULERS,
        supported_callbacks=[
            pb.CallbackTypeInfo(
                type="EarlyStopping",
                description="Ends a training when a watched value stops getting better.",
                parameters=[
                    _required("monitor", "string", "The value that is watched, as val/bce."),
                    _optional("patience", "int", "10", "Checks without progress before the end."),
                    _optional(
                        "mode",
                        "string",
                        "min",
                        "Whether the value should be min or max.",
                        "in ['min', 'max']",
                    ),
                ],
            ),
            pb.CallbackTypeInfo(
                type="ModelCheckpoint",
                description="Keeps the best weights, which are put back at the training's end.",
                parameters=[
                    _required("dirpath", "string", "Folder below the server's output folder."),
                    _required("monitor", "string", "The value that says which weights are best."),
                    _optional("mode", "string", "max", "Whether the value should be min or max."),
                    _optional("save_top_k", "int", "1", "How many of the best are kept; -1: all."),
                ],
            ),
            pb.CallbackTypeInfo(
                type="LearningRateMonitor",
                description="Reports the learning rate among the metrics.",
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
                _optional("betas", "tuple", "", "Decay of both moments; adam and adamw only."),
            ]
        ),
        scheduler_params=pb.SchedulerParamsSchema(
            parameters=[
                _optional("monitor", "string", "", "plateau: the value that is watched."),
                _optional("factor", "float", "0.1", "plateau: factor of each drop."),
                _optional("patience", "int", "10", "plateau: epochs without progress."),
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
