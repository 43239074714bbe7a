"""Writes metrics and figures of a training run for TensorBoard."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from fleet_engine.graph.artifact import Artifact
from fleet_engine.graph.catalogue import published
from fleet_engine.graph.context import Context
from fleet_engine.graph.metric import Metric
from fleet_engine.graph.node import Node
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.graph.stage import Stage
from fleet_platform.errors import DependencyDown
from fleet_platform.files import volume_answers

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


@published("cuvis_ai.node.monitor.TensorBoardMonitorNode")
class TensorBoardMonitorNode(Node):
    """Writes an event file: each metric as a scalar, each figure as an image.

    Tags are ``<stage>/<name>``; the step is the number of optimiser steps so far. A new
    folder for the run is created with the first event: ``<output_dir>/<run_name>``, then
    ``<run_name>_v2`` and so on, or ``run_01`` and so on. Constructing the node touches no file.

    Args:
        output_dir: parent folder of all runs.
        run_name: folder of the run; None: numbered.
        comment: appended to the folder's name.
        flush_secs: maximum time in seconds before an event is written.

    Attributes:
        resolve_folder: returns the actual folder for a configured one, or refuses it; set by a
            server that trains for clients. By default a relative folder is below the working
            directory.
    """

    CATEGORY = NodeCategory.SINK
    TAGS = (NodeTag.METADATA, NodeTag.TRAINING)
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
        flush_secs: Annotated[float, Field(gt=0)] = 120,
        **hparams: Any,
    ) -> None:
        super().__init__(
            output_dir=output_dir,
            run_name=run_name,
            comment=comment,
            flush_secs=flush_secs,
            **hparams,
        )
        # Published configurations were also saved on Windows.
        self.output_dir = output_dir.replace("\\", "/")
        self.run_name = run_name
        self.comment = comment
        self.flush_secs = flush_secs
        self.resolve_folder: Callable[[str], Path] = Path
        self._writer: SummaryWriter | None = None

    def forward(
        self,
        context: Context,
        artifacts: Iterable[Sequence[Artifact]] = (),
        metrics: Iterable[Sequence[Metric]] = (),
        **_: Any,
    ) -> dict[str, Any]:
        """Write the connected nodes' reports on a batch, one list for each node.

        Raises:
            Exhausted: no space is left.
            DependencyDown: the folder cannot be created or written to.
        """
        figures = [figure for given in artifacts for figure in given]
        numbers = [number for given in metrics for number in given]
        if figures or numbers:
            with self._writing():
                writer = self._opened()
                for number in numbers:
                    writer.add_scalar(_tag(number), number.value, context.global_step)
                for figure in figures:
                    writer.add_image(
                        _tag(figure), figure.value, context.global_step, dataformats="HWC"
                    )
        return {}

    def close(self) -> None:
        """Flush pending events and close the event file; a later event starts a new folder.

        Raises:
            Exhausted, DependencyDown: as in `forward`; the file is closed in any case.
        """
        writer, self._writer = self._writer, None
        if writer is not None:
            with self._writing():
                writer.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            with volume_answers("output"):
                yield
        except OSError as error:
            raise DependencyDown(
                f"Node '{self.name}': event files cannot be written to '{self.output_dir}' "
                f"({error.strerror})."
            ) from error

    def _opened(self) -> "SummaryWriter":
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(self._new_folder()), flush_secs=int(self.flush_secs))
        return self._writer

    def _new_folder(self) -> Path:
        number = 1
        while True:
            folder = self.resolve_folder(f"{self.output_dir}/{self._name(number)}")
            try:
                folder.mkdir(parents=True)
            except FileExistsError:
                number += 1
            else:
                return folder

    def _name(self, number: int) -> str:
        if self.run_name is None:
            return f"run_{number:02d}{self.comment}"
        version = f"_v{number}" if number > 1 else ""
        return f"{self.run_name}{self.comment}{version}"


def _tag(reported: Metric | Artifact) -> str:
    return f"{reported.stage.value}/{reported.name}"
