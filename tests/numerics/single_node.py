"""Runs and differentiates a single node."""

import numpy as np
import torch

from fleet_engine import Context, Stage, build_pipeline
from tests.support.scenes.pipelines import config, node

CONTEXT = Context(Stage.TEST)


def made(class_name, **hparams):
    return build_pipeline(config([node("n", class_name, **hparams)])).nodes["n"]


def scene(extent, channels, seed, offset=0.0):
    """Correlated channels of very different magnitude, like reflectance."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(channels, channels)) * np.linspace(0.2, 2.0, channels)
    mean = rng.normal(size=channels) * 3 + offset
    return (rng.normal(size=(*extent, channels)) @ mixing + mean).astype(np.float32)


def fit(fitted, port, *batches):
    fitted.statistical_initialization([{port: torch.from_numpy(batch)} for batch in batches])
    return fitted


def run(node_, port, batch, context=CONTEXT, **inputs):
    """Outputs as numpy arrays for one batch."""
    with torch.no_grad():
        outputs = node_(**{port: torch.from_numpy(batch)}, **inputs, context=context)
    return {key: value.numpy() for key, value in outputs.items() if isinstance(value, torch.Tensor)}


def state_shapes(node_):
    return {key: tuple(value.shape) for key, value in node_.state_dict().items()}


def gradients_agree(node_, **float64_inputs):
    """Return whether autograd agrees with finite differences for inputs and parameters."""
    node_.double()
    parameters = [parameter for parameter in node_.parameters() if parameter.requires_grad]
    ports = list(float64_inputs)
    leaves = [torch.tensor(value, requires_grad=True) for value in float64_inputs.values()]

    def outputs(*values):
        given = node_(**dict(zip(ports, values, strict=False)), context=CONTEXT)
        return tuple(
            value
            for value in given.values()
            if isinstance(value, torch.Tensor) and value.requires_grad
        )

    return torch.autograd.gradcheck(outputs, (*leaves, *parameters))
