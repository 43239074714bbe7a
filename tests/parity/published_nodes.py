"""Constructs and runs published nodes: ``published_nodes.py job.json`` with a folder of cases.

Runs in an environment of those packages, through `tests/support/sdk_stub/launch_published.py`.
Writes ``catalogue.json`` with every node class, and for each case ``<number>.npz`` and
``<number>.json``.
"""

import importlib
import inspect
import json
import pkgutil
import sys
from pathlib import Path

import cuvis_ai
import numpy as np
import torch
from cuvis_ai_core.node.node import Node
from cuvis_ai_schemas.enums import ExecutionStage
from cuvis_ai_schemas.execution import Context
from observations import flatten, inputs_of, state_of, trainable

PARTS = ("anomaly", "deciders", "node")
PLUGINS = {"cuvis_ai.node.adaclip"}


def main(folder):
    (folder / "catalogue.json").write_text(json.dumps(catalogue()), encoding="utf-8")
    for path in sorted(folder.glob("*.case.json")):
        number = path.name.removesuffix(".case.json")
        case = json.loads(path.read_text(encoding="utf-8"))
        with np.load(folder / f"{number}.inputs.npz") as content:
            arrays = dict(content)
        told, written = run(case, arrays)
        (folder / f"{number}.json").write_text(json.dumps(told), encoding="utf-8")
        np.savez(folder / f"{number}.npz", **written)


def catalogue():
    """Ports and trainable buffers of every class that a pipeline can name."""
    found = {}
    for part in PARTS:
        package = importlib.import_module(f"{cuvis_ai.__name__}.{part}")
        for module_info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            if module_info.name in PLUGINS:
                continue
            module = importlib.import_module(module_info.name)
            for name, kind in vars(module).items():
                if inspect.isclass(kind) and issubclass(kind, Node) and is_own(kind, module):
                    found[f"{module.__name__}.{name}"] = {
                        "inputs": ports(kind.INPUT_SPECS),
                        "outputs": ports(kind.OUTPUT_SPECS),
                        "trainable_buffers": list(kind.TRAINABLE_BUFFERS),
                    }
    return found


def is_own(kind, module):
    """Return whether a class belongs to the module and is not only a base class."""
    bases = ("_", "SupervisedSelectorBase", "LossNode")
    return (
        kind.__module__ == module.__name__
        and not inspect.isabstract(kind)
        and not kind.__name__.startswith(bases)
    )


def ports(specs):
    """By name: whether it is optional and variadic, its dtype and rank."""
    told = {}
    for name, spec in specs.items():
        variadic = isinstance(spec, list)
        one = spec[0] if variadic else spec
        dtype = str(one.dtype) if isinstance(one.dtype, torch.dtype) else None
        told[name] = {
            "optional": one.optional,
            "variadic": variadic,
            "dtype": dtype,
            "rank": len(one.shape),
        }
    return told


def run(case, arrays):
    """Return the declarations of the node, its states and outputs."""
    module, _, name = case["path"].rpartition(".")
    torch.manual_seed(3)
    node = getattr(importlib.import_module(module), name)(name=name, **case["hparams"])
    node.train(case["training"])
    told = {
        "stages": [
            stage for stage in ("train", "val", "test", "inference") if node.should_execute(stage)
        ],
        "requires_fit": bool(node.requires_initial_fit),
        "trainable": trainable(node),
    }
    written = named("made", state_of(node))
    plain = {port for port, spec in node.INPUT_SPECS.items() if is_array(spec)}
    if case["fit"]:
        # A generator, as in the published trainer: some nodes treat the first batch separately.
        node.statistical_initialization(
            inputs_of(arrays, f"fit{index}/", plain) for index in range(case["fit"])
        )
    written |= named("state", state_of(node))
    context = Context(stage=ExecutionStage(case["stage"]), epoch=case["epoch"])
    with torch.no_grad():
        outputs = node.forward(**inputs_of(arrays, "run/", plain), context=context)
    for port, value in outputs.items():
        written |= flatten(f"out/{port}", value)
    written |= named("after", state_of(node))
    node.unfreeze()
    told["unfrozen"] = trainable(node)
    node.freeze()
    told["frozen"] = trainable(node)
    told["keys_frozen"] = sorted(node.state_dict())
    return told, written


def is_array(spec):
    return not isinstance(spec, list) and spec.dtype is np.int32


def named(part, state):
    return {f"{part}/{key}": value for key, value in state.items()}


if __name__ == "__main__":
    main(Path(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))[0]["folder"]))
