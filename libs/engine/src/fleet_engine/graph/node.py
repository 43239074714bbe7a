"""Base class of the nodes of a pipeline."""

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

    A subclass declares its ports and implements ``forward(**inputs, context) -> dict``. A node that
    learns from data implements one of two forms of a fit; the other is derived from it:

    - `fit_begin`, `fit_update` and `fit_end`, whose sums are kept in plain attributes, so that they
      are not part of the state dict. With `fit_sums` and `fit_merge` in addition, several processes
      can fit the node together, each on its shard of the data.
    - the published `statistical_initialization`, which consumes the whole stream.

    Attributes:
        CATEGORY: the group under which a palette lists the node.
        TAGS: its keywords, in the order of `NodeTag`.
        INPUT_SPECS: input ports by name.
        OUTPUT_SPECS: output ports by name.
        TRAINABLE_BUFFERS: buffers that `unfreeze` turns into parameters.
        STAGES: stages at which the node runs unless the hparam `execution_stages` overrides them.
        PIXEL_PORTS: ports that run along the pixels (``[B, H, W, ...]``) of a node whose output for
            a pixel depends only on that pixel; empty for all other nodes. Such nodes run tile by
            tile.
        OBSERVER: the node reports on a run (metrics, figures, logs) and never runs at inference.
        USABLE_UNFITTED: `forward` is defined without a fit.
        name: unique within the pipeline.
        execution_stages: stages at which it runs.
        hparams: hyperparameters as given, including defaults and unknown ones.
        fitted: whether statistics were fitted or loaded.
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
        """Name of the node's class, for messages."""
        return type(self).__name__

    @property
    def pixel_ports(self) -> frozenset[str]:
        """The ports that run along the pixels; empty if pixels depend on each other."""
        return type(self).PIXEL_PORTS

    @property
    def requires_fit(self) -> bool:
        """Whether the node takes part in statistical fitting."""
        return type(self).fit_update is not Node.fit_update or self._fits_on_stream

    @property
    def mergeable(self) -> bool:
        """Whether fits on parts of the data can be merged into one of all data."""
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
        """Reset all sums and start a fit."""
        if self._fits_on_stream:
            self._stream_fit = StreamFit(self.statistical_initialization)

    def fit_update(self, *_: Any, **inputs: Any) -> None:
        """Add one batch, or one tile of it, of the node's inputs.

        Raises:
            InvalidInput: the inputs do not match, or contain values that are not finite.
        """
        if self._stream_fit is not None:
            self._stream_fit.feed(inputs)

    def fit_settle(self) -> None:
        """Wait until all batches are processed, if that happens asynchronously.

        Raises:
            BaseException: the fit of the node failed with it.
        """
        if self._stream_fit is not None:
            self._stream_fit.settle()

    def fit_end(self) -> None:
        """Compute the statistics from the sums; the node is then fitted.

        Raises:
            InvalidInput: there were too few pixels.
        """
        fit, self._stream_fit = self._stream_fit, None
        if fit is not None:
            fit.finish()
            self.fitted = True

    def fit_abandon(self) -> None:
        """Cancel a fit that will not be completed; does nothing after `fit_end`."""
        fit, self._stream_fit = self._stream_fit, None
        if fit is not None:
            fit.abandon()

    def fit_sums(self) -> dict[str, Tensor]:
        """Return the sums since `fit_begin` by name; zero without data."""
        return {}

    def fit_merge(self, parts: Sequence[Mapping[str, Tensor]]) -> None:
        """Replace the sums with those of all parts of the data together.

        Args:
            parts: results of `fit_sums` of all processes, including this one, in the same order in
                each process, so that all compute identical statistics.
        """

    def statistical_initialization(self, stream: Iterable[Mapping[str, Any]]) -> None:
        """Fit on a stream of inputs, each a mapping from input port to value.

        Raises:
            InvalidInput: the stream contains too few pixels, or values that are not finite.
        """
        self.fit_begin()
        for inputs in stream:
            ports = {port: inputs[port] for port in type(self).INPUT_SPECS if port in inputs}
            self.fit_update(**ports)
        self.fit_end()

    def unfreeze(self) -> None:
        """Turn the trainable buffers into parameters of the same name and enable gradients."""
        for key in type(self).TRAINABLE_BUFFERS:
            if key in self._buffers:
                value = getattr(self, key).detach().clone()
                del self._buffers[key]
                self.register_parameter(key, nn.Parameter(value))
        self.requires_grad_(True)

    def freeze(self) -> None:
        """Turn the trainable parameters into buffers again and disable gradients."""
        self.requires_grad_(False)
        for key in type(self).TRAINABLE_BUFFERS:
            if key in self._parameters:
                value = getattr(self, key).detach().clone()
                del self._parameters[key]
                self.register_buffer(key, value)

    @property
    def resizable(self) -> frozenset[str]:
        """Keys of the state whose tensors may be loaded with a different shape."""
        return frozenset()

    def load_values(self, values: Mapping[str, Tensor]) -> None:
        """Load values by key of the state; shapes must match except for `resizable` keys."""
        own = self.state_dict()
        for key, value in values.items():
            own[key].copy_(value)

    def store(self, key: str, value: Tensor) -> None:
        """Overwrite a buffer or parameter in place, frozen or not, cast to its dtype."""
        with torch.no_grad():
            getattr(self, key).copy_(value)

    def refuse(self, port: str, got: str, needed: str) -> InvalidInput:
        """Return the error for an input that does not match."""
        return InvalidInput(f"Node '{self.name}', input '{port}': got {got}; expected {needed}.")

    def require_channels(self, port: str, value: Tensor, hparam: str, channels: int) -> None:
        """Refuse an input whose last axis does not have the length of an hparam.

        Raises:
            InvalidInput: the lengths differ.
        """
        if value.shape[-1] != channels:
            raise self.refuse(
                port,
                f"{value.shape[-1]} channels",
                f"{channels} channels (hparam {hparam})",
            )


def _stages(names: Iterable[str]) -> frozenset[Stage]:
    valid = ", ".join(stage.value for stage in Stage)
    # A config may contain any JSON value here.
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise ValueError(  # noqa: TRY004  (a mistake in a config, not a wrong call)
            f"hparam 'execution_stages' is {names!r}; it must be a list of: {valid}"
        )
    chosen = set()
    for name in names:
        try:
            chosen.add(Stage(str(name).lower()))
        except ValueError:
            raise ValueError(
                f"hparam 'execution_stages' contains {name!r}; valid: {valid}"
            ) from None
    return frozenset(chosen)
