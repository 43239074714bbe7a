"""Sends metrics and figures of a training run to TensorBoard."""

from typing import Any, ClassVar

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node import Node
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.graph.stage import Stage
from fleet_platform.errors import NotImplementedYet


@published("cuvis_ai.node.monitor.TensorBoardMonitorNode")
class TensorBoardMonitorNode(Node):
    """Takes part in training runs only; being made, it touches no file.

    Args:
        output_dir: folder of the event files.
        run_name: folder below it; None: numbered.
        comment: appended to the run's name.
        flush_secs: longest time that an event waits before it is written.
    """

    INPUT_SPECS: ClassVar[Ports] = {
        "artifacts": PortSpec(None, (), "figures", optional=True, variadic=True),
        "metrics": PortSpec(None, (), "metrics", optional=True, variadic=True),
    }
    STAGES = frozenset({Stage.TRAIN, Stage.VAL, Stage.TEST})
    OBSERVER = True

    def __init__(
        self,
        output_dir: str = "./runs",
        run_name: str | None = None,
        comment: str = "",
        flush_secs: float = 120,
        **hparams: Any,
    ) -> None:
        super().__init__(
            output_dir=output_dir,
            run_name=run_name,
            comment=comment,
            flush_secs=flush_secs,
            **hparams,
        )

    def forward(self, **_: Any) -> dict[str, Any]:
        """Write one event per metric and figure; comes with gradient training."""
        raise NotImplementedYet(f"Node '{self.name}': event files come with gradient training.")
