"""The published node contract as a package, so that no published package is needed."""
# ruff: noqa: RUF012  (ports are declared as published classes declare them)

from dataclasses import dataclass
from typing import Any

from torch import nn

from lab_contract.execution import ExecutionStage


@dataclass
class PortSpec:
    dtype: Any
    shape: tuple
    description: str = ""
    optional: bool = False


class Node(nn.Module):
    INPUT_SPECS: dict = {}
    OUTPUT_SPECS: dict = {}
    TRAINABLE_BUFFERS: tuple = ()

    def __init__(self, name=None, execution_stages=None, **hparams):
        super().__init__()
        self._name = name or type(self).__name__
        self.execution_stages = set(execution_stages or {ExecutionStage.ALWAYS})
        self.hparams = {"name": name, "execution_stages": execution_stages, **hparams}
        self._statistically_initialized = False

    @property
    def name(self):
        return self._name

    @property
    def requires_initial_fit(self):
        return type(self).statistical_initialization is not Node.statistical_initialization

    def statistical_initialization(self, input_stream):
        pass

    def unfreeze(self):
        for key in self.TRAINABLE_BUFFERS:
            if key in self._buffers:
                value = self._buffers.pop(key)
                self.register_parameter(key, nn.Parameter(value.clone()))
        self.requires_grad_(True)

    def freeze(self):
        for key in self.TRAINABLE_BUFFERS:
            if key in self._parameters:
                value = self._parameters.pop(key)
                self.register_buffer(key, value.detach().clone())
        self.requires_grad_(False)

    def load_state_dict(self, state_dict, strict=True, assign=False):
        loaded = super().load_state_dict(state_dict, strict=strict, assign=assign)
        self._statistically_initialized |= bool(state_dict) and self.requires_initial_fit
        return loaded
