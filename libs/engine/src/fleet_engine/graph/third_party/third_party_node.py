"""A node whose class follows the published node contract and is not ours."""

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from fleet_engine.graph.context import Context
from fleet_engine.graph.node import Node
from fleet_engine.graph.port_spec import describe
from fleet_engine.graph.third_party.contract import (
    ThirdPartyModule,
    context_maker,
    fits_on_data,
    own_reports,
    stages_of,
)
from fleet_engine.graph.third_party.ports import read_ports
from fleet_engine.out_of_memory import is_out_of_memory
from fleet_platform.errors import AppError, InvalidInput
from fleet_platform.telemetry import logger

_log = logger("fleet.engine")

_REPORTS = frozenset({"metrics", "artifacts"})
"""Output ports of nodes that only tell of a run."""

_OF_EVERY_NODE = frozenset({"name", "execution_stages"})
"""Hparams that every node has, and that are kept under attributes of their own."""


class ThirdPartyNode(Node):
    """Runs an instance of a foreign class within our graph; the instance stays as it is.

    Ports, stages, context, metrics and artifacts are translated. State keys, parameters and buffers
    are the instance's own, so that weights files stay interchangeable. Calls of `forward` run one
    at a time, because such a class may keep values between the steps of a call. What the instance
    raises is told to the caller with node and class.

    Attributes:
        inner: the instance.
    """

    inner: ThirdPartyModule

    def __init__(self, inner: ThirdPartyModule, *, name: str, hparams: Mapping[str, Any]) -> None:
        """Adapt an instance.

        Args:
            inner: the instance; its class lacks nothing of the contract (see `contract_faults`).
            name: name of the node, which the instance is told where it keeps one.
            hparams: hyperparameters as given, for an instance that keeps none itself.

        Raises:
            ValueError: a port, a stage or the state is not as the contract says.
        """
        kept = getattr(inner, "hparams", hparams)
        super().__init__(
            name=name,
            execution_stages=stages_of(inner),
            **{key: value for key, value in kept.items() if key not in _OF_EVERY_NODE},
        )
        if hasattr(inner, "_name"):
            inner._name = name
        self.inner = inner
        self._inputs = read_ports(inner.INPUT_SPECS, inner)
        self._outputs = read_ports(inner.OUTPUT_SPECS, inner)
        # What our own nodes declare for their class follows from the instance here.
        self.INPUT_SPECS = {port: read.spec for port, read in self._inputs.items()}  # type: ignore[misc]
        self.OUTPUT_SPECS = {port: read.spec for port, read in self._outputs.items()}  # type: ignore[misc]
        self.TRAINABLE_BUFFERS = tuple(getattr(inner, "TRAINABLE_BUFFERS", ()))  # type: ignore[misc]
        self.OBSERVER = self._outputs.keys() <= _REPORTS  # type: ignore[misc]
        self.USABLE_UNFITTED = bool(getattr(inner, "_statistically_initialized", False))  # type: ignore[misc]
        self._own_context = context_maker(inner)
        self._turn = _Turn()
        self.register_load_state_dict_pre_hook(_put_inside)  # type: ignore[no-untyped-call]
        self._refuse_untensored_state()

    @property
    def kind(self) -> str:
        """Name of the foreign class."""
        return type(self.inner).__name__

    @property
    def requires_fit(self) -> bool:
        """By the instance's own word."""
        return fits_on_data(self.inner)

    @property
    def resizable(self) -> frozenset[str]:
        """Buffers of a node that is fitted: such a class may size them by the data."""
        return frozenset(dict(self.inner.named_buffers())) if self.requires_fit else frozenset()

    def forward(self, context: Context, **inputs: Any) -> dict[str, Any]:
        """Run the instance.

        Raises:
            InvalidInput: it failed, or gave other outputs than it declares.
        """
        taken = self._into_node(inputs)
        with self._turn.lock, self._telling("forward"):
            given = self.inner(**taken, context=self._own_context(context))
        if not isinstance(given, Mapping):
            raise self._wrong(f"forward gave {describe(given)}; needed: a dict of its outputs")
        device = self._device(inputs)
        outputs = {}
        for port, read in self._outputs.items():
            if given.get(port) is not None:
                outputs[port] = own_reports(read.from_node(given[port], device))
                if not read.spec.admits(outputs[port]):
                    raise self._wrong(
                        f"output '{port}' is {describe(outputs[port])}; declared: {read.spec}"
                    )
            elif not read.spec.optional:
                raise self._wrong(f"forward gave no '{port}', which it declares")
        return outputs

    def statistical_initialization(self, stream: Iterable[Mapping[str, Any]]) -> None:
        """Let the instance fit, frozen as the published trainers find it.

        Raises:
            InvalidInput: it failed.
        """
        unfrozen = any(key in self.inner._parameters for key in self.TRAINABLE_BUFFERS)
        with self._telling("statistical_initialization"), torch.enable_grad():
            if unfrozen:
                self.freeze()
            self.inner.statistical_initialization(self._into_node(inputs) for inputs in stream)
            if unfrozen:
                self.unfreeze()
        self.fitted = True

    def freeze(self) -> None:
        """Freeze the instance."""
        with self._telling("freeze"):
            self.inner.freeze()

    def unfreeze(self) -> None:
        """Unfreeze the instance."""
        with self._telling("unfreeze"):
            self.inner.unfreeze()

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """The instance's own state, under its own keys."""
        return self.inner.state_dict(*args, **kwargs)

    def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """Load the instance's own state."""
        return self.inner.load_state_dict(*args, **kwargs)

    def load_values(self, values: Mapping[str, Tensor]) -> None:
        """Let the instance load, so that it knows; a buffer takes the size of its new value.

        Raises:
            InvalidInput: it failed.
        """
        if not values:
            return
        with self._telling("load_state_dict"):
            for key in self.resizable & values.keys():
                path, _, name = key.rpartition(".")
                owner = self.inner.get_submodule(path)
                if owner._buffers[name].shape != values[key].shape:
                    owner._buffers[name] = owner._buffers[name].new_empty(values[key].shape)
            self.inner.load_state_dict({**self.inner.state_dict(), **values})

    def _into_node(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        return {port: self._inputs[port].into_node(value) for port, value in inputs.items()}

    def _device(self, inputs: Mapping[str, Any]) -> torch.device:
        """Where the graph's values are."""
        tensors = (value for value in inputs.values() if isinstance(value, Tensor))
        first = next(tensors, None)
        return torch.device("cpu") if first is None else first.device

    def _refuse_untensored_state(self) -> None:
        for key, value in self.state_dict().items():
            if not isinstance(value, Tensor):
                raise ValueError(  # noqa: TRY004  (a class that cannot be used, not a wrong call)
                    f"its state has '{key}', {describe(value)}; weights files hold tensors only"
                )

    def _wrong(self, text: str) -> InvalidInput:
        return InvalidInput(f"Node '{self.name}' ({self.kind}): {text}.")

    @contextmanager
    def _telling(self, method: str) -> Iterator[None]:
        try:
            yield
        except (AppError, torch.AcceleratorError):
            raise
        except Exception as error:  # whatever foreign code raises
            if is_out_of_memory(error):
                raise
            _log.warning("node.failed", node=self.name, method=method, exc_info=True)
            raise self._wrong(f"{method} failed: {type(error).__name__}: {error}") from error


class _Turn:
    """Lets in one call at a time; a copied node gets one of its own."""

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def __reduce__(self) -> tuple[type["_Turn"], tuple[()]]:
        return _Turn, ()


def _put_inside(_module: nn.Module, state_dict: dict[str, Any], prefix: str, *_: Any) -> None:
    """Where a whole tree of modules is loaded, hand the node's keys to the instance."""
    for key in [key for key in state_dict if key.startswith(prefix)]:
        state_dict[f"{prefix}inner.{key.removeprefix(prefix)}"] = state_dict.pop(key)
