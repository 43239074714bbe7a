"""Devices and processes of a training."""

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
    """Device and process arguments of the Lightning trainer.

    Attributes:
        accelerator: cpu or gpu.
        devices: number of processes on this host (CPU), or the GPUs they use.
        num_nodes: number of hosts.
        strategy: strategy of distributed training.
        plugins: the group of processes; a checkpoint writer may be added.
    """

    accelerator: str
    devices: int | list[int]
    num_nodes: int
    strategy: str | Strategy
    plugins: list[GroupEnvironment | CheckpointIO]


def placement(
    training: TrainingConfig, device: torch.device, group: WorkerGroup | None
) -> Placement:
    """Return the devices and processes of a training.

    A single process uses the device of the pipeline; each of several processes on GPUs uses the GPU
    of its local rank.

    Args:
        training: the settings accelerator, devices, num_nodes and strategy are used.
        device: device of the pipeline.
        group: the processes that train together; None: only this one.

    Raises:
        InvalidInput: a setting is unknown, or requests something this host does not have.
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
        # A node may have parameters that no loss reaches, such as the covariance of RX next to its
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
