"""The node of a plugin is fitted in a worker process."""

import json
from pathlib import Path

import grpc
import pytest

from fleet_engine.plugins import PluginLoader
from fleet_engine.weights import open_stored
from fleet_platform.files import pack_folder
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.records.v1 import records_pb2 as records
from tests.support.plugin_folder import write_plugin
from tests.support.scenes.rx_scene import rx_pipeline
from tests.support.training_client import TrainingClient

NODES = '''
from typing import ClassVar

import torch

from fleet_engine import Node, PortSpec
from lab.settings import FACTOR

CUBE = PortSpec(torch.float32, (-1, -1, -1, -1))


class Offset(Node):
    """data - FACTOR * its mean."""

    INPUT_SPECS: ClassVar = {"data": CUBE}
    OUTPUT_SPECS: ClassVar = {"data": CUBE}

    def __init__(self, **hparams):
        super().__init__(**hparams)
        self.register_buffer("mean", torch.zeros(()))

    def statistical_initialization(self, stream):
        means = [inputs["data"].double().mean() for inputs in stream]
        self.store("mean", FACTOR * torch.stack(means).mean())
        self.fitted = True

    def forward(self, data, **_):
        return {"data": data - self.mean}
'''
OFFSET = "lab.fitted.Offset"


@pytest.fixture
def registered(client: TrainingClient, tmp_path: Path) -> TrainingClient:
    """A session that has registered the plugin."""
    folder = write_plugin(tmp_path / "plugin", {"lab/fitted.py": NODES})
    digest = client.artifacts.put(pack_folder(folder))
    manifest = {"name": "mine", "path": "x", "capabilities": [{"class_name": OFFSET}]}

    def change(record: records.SessionRecord) -> None:
        record.plugins.add(
            name="mine", manifest_json=json.dumps(manifest).encode(), code_digest=digest
        )

    client.sessions.update(client.session_id, change)
    return client


def pipeline() -> dict[str, object]:
    config = rx_pipeline()
    return {
        "metadata": config["metadata"],
        "nodes": [config["nodes"][0], {"name": "offset", "class_name": OFFSET}],
        "connections": [{"source": "data.outputs.cube", "target": "offset.inputs.data"}],
    }


def test_it_is_fitted_and_the_run_and_the_session_keep_its_code(
    registered: TrainingClient,
) -> None:
    registered.apply(pipeline=pipeline())
    (code,) = registered.session.pipeline.plugins
    assert list(code.class_paths) == [OFFSET]

    *_, last = registered.train()

    assert last.status == pb.TRAIN_STATUS_COMPLETE
    assert registered.run.pipeline.plugins[0].code_digest == code.code_digest
    stored = registered.session.pipeline
    assert stored.plugins[0] == code
    plugins = PluginLoader(registered.artifacts, allowed=True)
    fitted = open_stored(stored, registered.artifacts, plugins).nodes["offset"]
    assert fitted.mean.item() == pytest.approx(2 * 2000, rel=0.05)


def test_it_is_refused_in_a_session_that_has_not_registered_it(client: TrainingClient) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        client.apply(pipeline=pipeline() | {"plugins": ["mine"]})
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert "Call LoadPlugin first" in caught.value.details()
