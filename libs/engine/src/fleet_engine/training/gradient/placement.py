"""Where a training computes, alone or as one of several processes."""

from typing import NamedTuple

import torch
from lightning.pytorch.plugins.io import CheckpointIO
from lightning.pytorch.strategies import DDPStrategy, Strategy

from fleet_engine.training.distributed.worker_group import WorkerGroup
from fleet_engine.training.gradient.group_environment import GroupEnvironment
from fleet_engine.training.job.process_count import process_count
from fleet_platform.errors import InvalidInput
from fleet_schemas import TrainingConfig

_GPU = frozenset({"gpu", "cuda"})
_STRATEGIES = (
    "auto",
    "ddp",
    "ddp_find_unused_parameters_true",
    "ddp_find_unused_parameters_false",
)


class Placement(NamedTuple):
    """What Lightning is told of devices and processes; the names are its own.

    Attributes:
        accelerator: cpu or gpu.
        devices: processes of this host (CPU), or the GPUs they use.
        num_nodes: hosts.
        strategy: how processes train together.
        plugins: the group of processes; who writes checkpoints may be added.
    """

    accelerator: str
    devices: int | list[int]
    num_nodes: int
    strategy: str | Strategy
    plugins: list[GroupEnvironment | CheckpointIO]


def placement(
    training: TrainingConfig, device: torch.device, group: WorkerGroup | None
) -> Placement:
    """Decide where a training computes.

    One process uses the device on which the pipeline lies; of several on GPUs each uses the one of
    its local rank.

    Args:
        training: accelerator, devices, num_nodes and strategy count.
        device: where the pipeline lies.
        group: the processes that train together; None: this one alone.

    Raises:
        InvalidInput: a setting is unknown, or asks for what this host does not have.
    """
    accelerator = _accelerator(training.accelerator, device)
    strategy = training.strategy or "auto"
    if strategy not in _STRATEGIES:
        raise InvalidInput(
            f"training.strategy '{strategy}' is unknown; known: {', '.join(_STRATEGIES)}."
        )
    count = process_count(training)
    num_nodes = training.num_nodes or 1
    if count * num_nodes == 1:
        devices = [device.index or 0] if accelerator == "gpu" else 1
        return Placement(accelerator, devices, 1, "auto", [])
    if group is None or group.world_size != count * num_nodes:
        raise InvalidInput(
            f"training.devices is {training.devices} and training.num_nodes {num_nodes}, which "
            f"makes {count * num_nodes} processes; this server trains with "
            f"{1 if group is None else group.world_size}."
        )
    if accelerator == "gpu" and count > torch.cuda.device_count():
        raise InvalidInput(
            f"training.devices asks for {count} GPUs; this host has {torch.cuda.device_count()}."
        )
    ddp = DDPStrategy(
        process_group_backend="nccl" if accelerator == "gpu" else "gloo",
        # A node may have parameters that no loss reaches, such as RX's covariance beside its
        # inverse.
        find_unused_parameters=strategy != "ddp_find_unused_parameters_false",
    )
    return Placement(accelerator, count, num_nodes, ddp, [GroupEnvironment(group)])


def _accelerator(name: str, device: torch.device) -> str:
    if name == "auto":
        return "gpu" if device.type == "cuda" else "cpu"
    if name == "cpu":
        return "cpu"
    if name in _GPU:
        if device.type != "cuda":
            raise InvalidInput(
                f"training.accelerator is '{name}', but this server trains on the CPU; use auto."
            )
        return "gpu"
    raise InvalidInput(f"training.accelerator '{name}' is unknown; known: auto, cpu, gpu, cuda.")
