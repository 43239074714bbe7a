"""Adapter for nodes that follow the published contract without subclassing `Node`."""

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
    stages_of,
    to_reports,
)
from fleet_engine.graph.third_party.ports import read_ports
from fleet_engine.out_of_memory import is_out_of_memory
from fleet_platform.errors import AppError, InvalidInput
from fleet_platform.telemetry import logger

_log = logger("fleet.engine")

_REPORTS = frozenset({"metrics", "artifacts"})
"""Output ports of nodes that only report on a run."""

_OF_EVERY_NODE = frozenset({"name", "execution_stages"})
"""Hparams that every node has and that are kept in separate attributes."""


class ThirdPartyNode(Node):
    """Runs an unmodified instance of a third-party class as a node of a pipeline.

    Ports, stages, context, metrics and artifacts are converted. State keys, parameters and buffers
    are those of the instance, so that weights files remain interchangeable. Calls of `forward` are
    serialised, because such a class may keep values between the steps of a call. Errors of the
    instance are reported with node and class.

    Attributes:
        inner: the instance.
    """

    inner: ThirdPartyModule

    def __init__(self, inner: ThirdPartyModule, *, name: str, hparams: Mapping[str, Any]) -> None:
        """Adapt an instance.

        Args:
            inner: the instance; its class follows the contract (see `contract_faults`).
            name: name of the node; also set on the instance if it stores a name.
            hparams: hyperparameters as given, for an instance that does not store them.

        Raises:
            ValueError: a port, a stage or the state violates the contract.
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
        # Built-in nodes declare these on the class; here they depend on the instance.
        self.INPUT_SPECS = {port: read.spec for port, read in self._inputs.items()}  # type: ignore[misc]
        self.OUTPUT_SPECS = {port: read.spec for port, read in self._outputs.items()}  # type: ignore[misc]
        self.TRAINABLE_BUFFERS = tuple(getattr(inner, "TRAINABLE_BUFFERS", ()))  # type: ignore[misc]
        self.OBSERVER = self._outputs.keys() <= _REPORTS  # type: ignore[misc]
        self.USABLE_UNFITTED = bool(getattr(inner, "_statistically_initialized", False))  # type: ignore[misc]
        self._own_context = context_maker(inner)
        self._lock = _CallLock()
        self.register_load_state_dict_pre_hook(_put_inside)  # type: ignore[no-untyped-call]
        self._refuse_untensored_state()

    @property
    def kind(self) -> str:
        """Name of the third-party class."""
        return type(self.inner).__name__

    @property
    def requires_fit(self) -> bool:
        """Whether the instance needs a fit."""
        return fits_on_data(self.inner)

    @property
    def resizable(self) -> frozenset[str]:
        """Buffers of a fitted node, which such a class may size by the data."""
        return frozenset(dict(self.inner.named_buffers())) if self.requires_fit else frozenset()

    def forward(self, context: Context, **inputs: Any) -> dict[str, Any]:
        """Run the instance.

        Raises:
            InvalidInput: it failed, or its outputs differ from those that it declares.
        """
        converted = self._into_node(inputs)
        with self._lock.lock, self._reporting("forward"):
            given = self.inner(**converted, context=self._own_context(context))
        if not isinstance(given, Mapping):
            raise self._wrong(f"forward returned {describe(given)}; expected a dict of its outputs")
        device = self._device(inputs)
        outputs = {}
        for port, read in self._outputs.items():
            if given.get(port) is not None:
                outputs[port] = to_reports(read.from_node(given[port], device))
                if not read.spec.admits(outputs[port]):
                    raise self._wrong(
                        f"output '{port}' is {describe(outputs[port])}; declared: {read.spec}"
                    )
            elif not read.spec.optional:
                raise self._wrong(f"forward returned no '{port}', which it declares")
        return outputs

    def statistical_initialization(self, stream: Iterable[Mapping[str, Any]]) -> None:
        """Fit the instance in the frozen state that published trainers expect.

        Raises:
            InvalidInput: the instance failed.
        """
        unfrozen = any(key in self.inner._parameters for key in self.TRAINABLE_BUFFERS)
        with self._reporting("statistical_initialization"), torch.enable_grad():
            if unfrozen:
                self.freeze()
            self.inner.statistical_initialization(self._into_node(inputs) for inputs in stream)
            if unfrozen:
                self.unfreeze()
        self.fitted = True

    def freeze(self) -> None:
        """Freeze the instance."""
        with self._reporting("freeze"):
            self.inner.freeze()

    def unfreeze(self) -> None:
        """Unfreeze the instance."""
        with self._reporting("unfreeze"):
            self.inner.unfreeze()

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """Return the state of the instance under its own keys."""
        return self.inner.state_dict(*args, **kwargs)

    def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """Load the state of the instance."""
        return self.inner.load_state_dict(*args, **kwargs)

    def load_values(self, values: Mapping[str, Tensor]) -> None:
        """Load values through the instance; a buffer takes the size of its new value.

        Raises:
            InvalidInput: the instance failed.
        """
        if not values:
            return
        with self._reporting("load_state_dict"):
            for key in self.resizable & values.keys():
                path, _, name = key.rpartition(".")
                owner = self.inner.get_submodule(path)
                if owner._buffers[name].shape != values[key].shape:
                    owner._buffers[name] = owner._buffers[name].new_empty(values[key].shape)
            self.inner.load_state_dict({**self.inner.state_dict(), **values})

    def _into_node(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        return {port: self._inputs[port].into_node(value) for port, value in inputs.items()}

    def _device(self, inputs: Mapping[str, Any]) -> torch.device:
        """Return the device of the graph's values."""
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
    def _reporting(self, method: str) -> Iterator[None]:
        try:
            yield
        except (AppError, torch.AcceleratorError):
            raise
        except Exception as error:  # third-party code may raise anything
            if is_out_of_memory(error):
                raise
            _log.warning("node.failed", node=self.name, method=method, exc_info=True)
            raise self._wrong(f"{method} failed: {type(error).__name__}: {error}") from error


class _CallLock:
    """A lock for one call at a time; a copied node gets a separate lock."""

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def __reduce__(self) -> tuple[type["_CallLock"], tuple[()]]:
        return _CallLock, ()


def _put_inside(_module: nn.Module, state_dict: dict[str, Any], prefix: str, *_: Any) -> None:
    """Redirect the keys of the node to the instance when a whole tree of modules is loaded."""
    for key in [key for key in state_dict if key.startswith(prefix)]:
        state_dict[f"{prefix}inner.{key.removeprefix(prefix)}"] = state_dict.pop(key)
