"""NODE_PACKAGES over the wire: a lab's node runs if the operator lists its package."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from grpc import StatusCode

from fleet_engine import allow_node_packages
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from tests.service.inference.conftest import Refused, Served, cube, to_numpy

LAB = Path(__file__).parents[2] / "unit" / "engine" / "third_party"


@pytest.fixture(autouse=True)
def installed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The lab's packages are installed; a test's parameter says what the operator allows."""
    monkeypatch.syspath_prepend(str(LAB))
    monkeypatch.setenv("NODE_PACKAGES", getattr(request, "param", "lab_nodes"))
    yield
    allow_node_packages(())


def bands_config() -> dict[str, Any]:
    return {
        "nodes": [
            {
                "name": "data",
                "class_name": "cuvis_ai.node.data.LentilsAnomalyDataNode",
                "hparams": {"normal_class_ids": [0]},
            },
            {
                "name": "bands",
                "class_name": "lab_nodes.sound.Bands",
                "hparams": {"below_nm": 600},
            },
        ],
        "connections": [
            {"source": f"data.outputs.{source}", "target": f"bands.inputs.{target}"}
            for source, target in (("cube", "data"), ("wavelengths", "wavelengths"))
        ],
    }


def test_it_loads_tells_its_ports_and_infers(served: Served) -> None:
    session = served.session()
    served.load(session, bands_config())
    outputs = served.stub.GetPipelineOutputs(pb.GetPipelineOutputsRequest(session_id=session))
    assert set(outputs.output_specs) >= {"bands.kept", "bands.wavelengths"}
    given = served.infer(session).outputs
    assert to_numpy(given["bands.wavelengths"]).tolist() == [430, 510, 590]
    assert np.array_equal(to_numpy(given["bands.kept"]), cube()[..., :3].astype(np.float32))


@pytest.mark.parametrize("installed", ["", "lab"], indirect=True)
def test_a_package_that_is_not_named_is_refused(served: Served, refused: Refused) -> None:
    session = served.session()
    refused(
        lambda: served.load(session, bands_config()),
        StatusCode.INVALID_ARGUMENT,
        "'bands'",
        "lab_nodes.sound.Bands",
        "NODE_PACKAGES",
    )
