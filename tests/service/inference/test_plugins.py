"""Local plugins over the wire: a session that registered one uses its classes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from grpc import StatusCode

from fleet_platform.files import pack_folder
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.records.v1 import records_pb2 as records
from tests.service.inference.conftest import Refused, Served, cube, to_numpy
from tests.support.plugin_folder import SCALE, write_plugin

Register = Callable[..., None]


@pytest.fixture
def register(served: Served, tmp_path: Path) -> Register:
    """``register(session, changes)``: what LoadPlugin leaves in a session."""

    def make(
        session: str, changes: dict[str, str] | None = None, *, with_code: bool = True
    ) -> None:
        digest = ""
        if with_code:
            folder = write_plugin(tmp_path / f"plugin-{session}", changes)
            digest = served.artifacts.put(pack_folder(folder))
        manifest = {"name": "mine", "path": "x", "capabilities": [{"class_name": SCALE}]}

        def change(record: records.SessionRecord) -> None:
            del record.plugins[:]
            record.plugins.add(
                name="mine", manifest_json=json.dumps(manifest).encode(), code_digest=digest
            )

        served.sessions.update(session, change)

    return make


def config(**more: Any) -> dict[str, Any]:
    return {
        "nodes": [
            {
                "name": "data",
                "class_name": "cuvis_ai.node.data.LentilsAnomalyDataNode",
                "hparams": {"normal_class_ids": [0]},
            },
            {"name": "scale", "class_name": SCALE, "hparams": {"by": 1.5}},
        ],
        "connections": [{"source": "data.outputs.cube", "target": "scale.inputs.data"}],
        **more,
    }


def scaled(served: Served, session: str) -> np.ndarray:
    return to_numpy(served.infer(session, None, "scale.scaled").outputs["scale.scaled"])


def test_it_loads_infers_and_tells_its_ports(served: Served, register: Register) -> None:
    session = served.session()
    register(session)
    served.load(session, config())
    assert np.array_equal(scaled(served, session), cube().astype(np.float32) * 3)
    outputs = served.stub.GetPipelineOutputs(pb.GetPipelineOutputsRequest(session_id=session))
    assert "scale.scaled" in outputs.output_specs


def test_sessions_with_other_code_of_one_name_do_not_mix(
    served: Served, register: Register
) -> None:
    factors = {"one": 2, "two": 10}
    for session, factor in factors.items():
        register(served.session(session), {"lab/settings.py": f"FACTOR = {factor}.0\n"})
        served.load(session, config())
    for session, factor in factors.items():
        assert np.array_equal(
            scaled(served, session), cube().astype(np.float32) * (1.5 * factor)
        ), session


def test_a_loaded_pipeline_keeps_its_code_until_it_is_loaded_again(
    served: Served, register: Register
) -> None:
    session = served.session()
    register(session)
    served.load(session, config())
    register(session, {"lab/settings.py": "FACTOR = 4.0\n"})
    assert np.array_equal(scaled(served, session), cube().astype(np.float32) * 3)
    served.load(session, config())
    assert np.array_equal(scaled(served, session), cube().astype(np.float32) * 6)


def test_a_palette_shows_it_beside_the_built_in_nodes(served: Served, register: Register) -> None:
    session = served.session()
    request = pb.ListAvailableNodesRequest(session_id=session)
    before = served.stub.ListAvailableNodes(request).nodes
    register(session)

    *others, node = served.stub.ListAvailableNodes(request).nodes

    assert others == list(before)
    assert (node.class_name, node.full_path) == ("Scale", SCALE)
    assert (node.source, node.plugin_name) == ("plugin", "mine")
    assert node.input_specs["data"].dtype == pb.D_TYPE_FLOAT32
    assert list(node.output_specs["scaled"].shape) == [-1, -1, -1, -1]


@pytest.mark.parametrize("changes", [{"lab/settings.py": "1/0\n"}, None])
def test_a_palette_shows_no_class_that_cannot_be_used(
    served: Served, register: Register, changes: dict[str, str] | None
) -> None:
    session = served.session()
    register(session, changes, with_code=changes is not None)
    nodes = served.stub.ListAvailableNodes(pb.ListAvailableNodesRequest(session_id=session)).nodes
    assert {node.source for node in nodes} == {"builtin"}


def test_it_is_saved_under_its_own_class_path(served: Served, register: Register) -> None:
    session = served.session()
    register(session)
    served.load(session, config())
    saved = served.stub.SavePipeline(
        pb.SavePipelineRequest(session_id=session, pipeline_path="mine.yaml")
    )
    assert SCALE in Path(saved.pipeline_path).read_text()


def test_a_session_without_the_plugin_is_refused(served: Served, refused: Refused) -> None:
    session = served.session()
    refused(lambda: served.load(session, config()), StatusCode.INVALID_ARGUMENT, SCALE, "unknown")
    refused(
        lambda: served.load(session, config(plugins=["mine"])),
        StatusCode.FAILED_PRECONDITION,
        SCALE,
        "Call LoadPlugin first",
    )


def test_a_class_whose_code_is_not_here_is_refused(
    served: Served, register: Register, refused: Refused
) -> None:
    session = served.session()
    register(session, with_code=False)
    refused(
        lambda: served.load(session, config()),
        StatusCode.INVALID_ARGUMENT,
        "'scale'",
        "plugin 'mine'",
        "PLUGINS=git",
    )


def test_errors_of_plugin_code_are_reported_and_the_service_continues(
    served: Served, register: Register, refused: Refused
) -> None:
    session = served.session()
    register(session, {"lab/settings.py": "import not_installed_here\n"})
    refused(
        lambda: served.load(session, config()),
        StatusCode.INVALID_ARGUMENT,
        SCALE,
        "No module named 'not_installed_here'",
        "The plugin 'mine'",
    )
    register(session)
    served.load(session, config())


@pytest.mark.parametrize("served", [{"plugins": "off"}], indirect=True)
def test_a_server_that_runs_no_plugins(
    served: Served, register: Register, refused: Refused
) -> None:
    session = served.session()
    register(session)
    refused(
        lambda: served.load(session, config()), StatusCode.INVALID_ARGUMENT, SCALE, "PLUGINS=local"
    )
