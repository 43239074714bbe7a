"""The contract that every node of a pipeline follows."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from fleet_engine.graph.execution.stream_fit import StreamFit
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports
from fleet_engine.graph.stage import Stage
from fleet_platform.errors import InvalidInput


class Node(nn.Module):
    """A step of a pipeline: named input ports in, named output ports out.

    A subclass declares its ports and implements ``forward(**inputs, context) -> dict``. One that
    learns from data implements one of two forms of a fit, and has the other for nothing:

    - `fit_begin`, `fit_update` and `fit_end`, whose sums are kept in plain attributes, so that they
      never reach a state dict. With `fit_sums` and `fit_merge` in addition, several workers fit it
      together, each on its share of the data.
    - the published `statistical_initialization`, which takes the whole stream.

    Attributes:
        CATEGORY: the group under which a palette lists the node.
        TAGS: its keywords, in the order of `NodeTag`.
        INPUT_SPECS: input ports by name.
        OUTPUT_SPECS: output ports by name.
        TRAINABLE_BUFFERS: buffers that `unfreeze` turns into parameters.
        STAGES: stages at which the node runs unless the hparam `execution_stages` says otherwise.
        PIXEL_PORTS: ports that run along the pixels (``[B, H, W, ...]``) of a node whose output for
            a pixel depends on that pixel alone; empty for every other node. The plan runs such
            nodes tile by tile.
        OBSERVER: the node reports on a run (metrics, figures, logs) and never runs at inference.
        USABLE_UNFITTED: `forward` is defined before any fit.
        name: unique within the pipeline.
        execution_stages: stages at which it runs.
        hparams: hyperparameters as given, with defaults, unknown ones kept.
        fitted: statistics were fitted or loaded.
    """

    CATEGORY: ClassVar[NodeCategory] = NodeCategory.UNSPECIFIED
    TAGS: ClassVar[tuple[NodeTag, ...]] = ()
    INPUT_SPECS: ClassVar[Ports] = {}
    OUTPUT_SPECS: ClassVar[Ports] = {}
    TRAINABLE_BUFFERS: ClassVar[tuple[str, ...]] = ()
    STAGES: ClassVar[frozenset[Stage]] = frozenset({Stage.ALWAYS})
    PIXEL_PORTS: ClassVar[frozenset[str]] = frozenset()
    OBSERVER: ClassVar[bool] = False
    USABLE_UNFITTED: ClassVar[bool] = False

    def __init__(
        self,
        *,
        name: str | None = None,
        execution_stages: Iterable[str] | None = None,
        **hparams: Any,
    ) -> None:
        super().__init__()
        self.name = name or type(self).__name__
        self.execution_stages = (
            type(self).STAGES if execution_stages is None else _stages(execution_stages)
        )
        self.hparams: dict[str, Any] = hparams
        self.fitted = False
        self._stream_fit: StreamFit | None = None

    @property
    def kind(self) -> str:
        """Name of the node's class, for texts."""
        return type(self).__name__

    @property
    def pixel_ports(self) -> frozenset[str]:
        """The ports that run along the pixels; empty when pixels depend on one another."""
        return type(self).PIXEL_PORTS

    @property
    def requires_fit(self) -> bool:
        """Whether the node takes part in statistical fitting."""
        return type(self).fit_update is not Node.fit_update or self._fits_on_stream

    @property
    def mergeable(self) -> bool:
        """Whether fits on parts of the data can be put together to one of the whole."""
        return type(self).fit_merge is not Node.fit_merge

    @property
    def _fits_on_stream(self) -> bool:
        kind = type(self)
        return (
            kind.fit_update is Node.fit_update
            and kind.statistical_initialization is not Node.statistical_initialization
        )

    @property
    def ready(self) -> bool:
        """Whether `forward` may run now."""
        return self.fitted or not self.requires_fit or self.USABLE_UNFITTED

    def runs_at(self, stage: Stage) -> bool:
        """Whether the node takes part in runs of `stage`."""
        if stage is Stage.INFERENCE and self.OBSERVER:
            return False
        return not self.execution_stages.isdisjoint({Stage.ALWAYS, stage})

    def fit_begin(self) -> None:
        """Forget all sums and start a fit."""
        if self._fits_on_stream:
            self._stream_fit = StreamFit(self.statistical_initialization)

    def fit_update(self, *_: Any, **inputs: Any) -> None:
        """Take in one batch, or one tile of it, of the node's inputs.

        Raises:
            InvalidInput: the inputs do not fit, or hold values that are not finite.
        """
        if self._stream_fit is not None:
            self._stream_fit.feed(inputs)

    def fit_settle(self) -> None:
        """Wait until all batches are taken in, where that happens beside the pass.

        Raises:
            BaseException: whatever the node's fit raised.
        """
        if self._stream_fit is not None:
            self._stream_fit.settle()

    def fit_end(self) -> None:
        """Turn the sums into statistics; the node is fitted.

        Raises:
            InvalidInput: there were too few pixels.
        """
        fit, self._stream_fit = self._stream_fit, None
        if fit is not None:
            fit.finish()
            self.fitted = True

    def fit_abandon(self) -> None:
        """Break a fit off that will not be ended; does nothing after `fit_end`."""
        fit, self._stream_fit = self._stream_fit, None
        if fit is not None:
            fit.abandon()

    def fit_sums(self) -> dict[str, Tensor]:
        """Return the sums since `fit_begin`, by name; of no data, where there was none."""
        return {}

    def fit_merge(self, parts: Sequence[Mapping[str, Tensor]]) -> None:
        """Replace the sums by those of all parts of the data together.

        Args:
            parts: what `fit_sums` gave in each worker, this one included, in an order that is the
                same everywhere; so all workers end with the same bits.
        """

    def statistical_initialization(self, stream: Iterable[Mapping[str, Any]]) -> None:
        """Fit on a stream of inputs, each a mapping from input port to value.

        Raises:
            InvalidInput: the stream holds too few pixels, or values that are not finite.
        """
        self.fit_begin()
        for inputs in stream:
            ports = {port: inputs[port] for port in type(self).INPUT_SPECS if port in inputs}
            self.fit_update(**ports)
        self.fit_end()

    def unfreeze(self) -> None:
        """Make the trainable buffers parameters of the same name and let gradients reach them."""
        for key in type(self).TRAINABLE_BUFFERS:
            if key in self._buffers:
                value = getattr(self, key).detach().clone()
                del self._buffers[key]
                self.register_parameter(key, nn.Parameter(value))
        self.requires_grad_(True)

    def freeze(self) -> None:
        """Make the trainable parameters buffers again and stop gradients."""
        self.requires_grad_(False)
        for key in type(self).TRAINABLE_BUFFERS:
            if key in self._parameters:
                value = getattr(self, key).detach().clone()
                del self._parameters[key]
                self.register_buffer(key, value)

    @property
    def resizable(self) -> frozenset[str]:
        """Keys of the state whose tensors may be loaded in another shape than they have."""
        return frozenset()

    def load_values(self, values: Mapping[str, Tensor]) -> None:
        """Take over values by key of the state, each in the shape that it has, or `resizable`."""
        own = self.state_dict()
        for key, value in values.items():
            own[key].copy_(value)

    def store(self, key: str, value: Tensor) -> None:
        """Overwrite a buffer or parameter in place, frozen or not, cast to its dtype."""
        with torch.no_grad():
            getattr(self, key).copy_(value)

    def refuse(self, port: str, got: str, needed: str) -> InvalidInput:
        """Return the error for an input that does not fit."""
        return InvalidInput(f"Node '{self.name}', input '{port}': got {got}; needed: {needed}.")

    def require_channels(self, port: str, value: Tensor, hparam: str, channels: int) -> None:
        """Refuse an input whose last axis does not have the length of an hparam.

        Raises:
            InvalidInput: the lengths differ.
        """
        if value.shape[-1] != channels:
            raise self.refuse(
                port,
                f"{value.shape[-1]} channels",
                f"{channels} channels, as the hparam {hparam} says",
            )


def _stages(names: Iterable[str]) -> frozenset[Stage]:
    right = ", ".join(stage.value for stage in Stage)
    # What a config holds in this place may be anything that JSON can say.
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise ValueError(  # noqa: TRY004  (a config's mistake, not a wrong call)
            f"hparam 'execution_stages' is {names!r}; right is a list of: {right}"
        )
    chosen = set()
    for name in names:
        try:
            chosen.add(Stage(str(name).lower()))
        except ValueError:
            raise ValueError(
                f"hparam 'execution_stages' holds {name!r}; right are: {right}"
            ) from None
    return frozenset(chosen)
