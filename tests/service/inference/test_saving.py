"""SavePipeline over the wire, and loading the saved files."""

import io
from pathlib import Path

import pytest
import torch
import yaml
from grpc import StatusCode

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from tests.service.inference.conftest import Fitted, Refused, Served, rx_config


def save(served: Served, session: str, path: str, **metadata: str) -> pb.SavePipelineResponse:
    return served.stub.SavePipeline(
        pb.SavePipelineRequest(
            session_id=session,
            pipeline_path=path,
            metadata=pb.PipelineMetadata(**metadata),
        )
    )


@pytest.mark.parametrize("sent", ["lab/mine.yaml", "lab/mine", "lab/mine.v2.yaml"])
def test_both_files_lie_below_the_output_folder(served: Served, fitted: Fitted, sent: str) -> None:
    reply = save(served, served.ready(fitted), sent)
    stem = (served.output_dir / sent).name.removesuffix(".yaml")
    assert reply.success
    assert Path(reply.pipeline_path) == served.output_dir / "lab" / f"{stem}.yaml"
    assert Path(reply.weights_path) == served.output_dir / "lab" / f"{stem}.pt"
    left = {path.name for path in (served.output_dir / "lab").iterdir()}
    assert left == {f"{stem}.yaml", f"{stem}.pt"}


def test_the_published_layout(served: Served, fitted: Fitted) -> None:
    reply = save(served, served.ready(fitted), "mine.yaml", description="Trained")
    config = yaml.safe_load(Path(reply.pipeline_path).read_text())
    assert [node["class_name"] for node in config["nodes"]] == [
        node["class_name"] for node in rx_config()["nodes"]
    ]
    assert config["connections"] == rx_config()["connections"]
    metadata = config["metadata"]
    assert (metadata["name"], metadata["description"]) == ("mine", "Trained")
    assert metadata["created"]
    assert metadata["cuvis_ai_version"]
    content = io.BytesIO(Path(reply.weights_path).read_bytes())
    weights = torch.load(content, weights_only=True)
    assert set(weights["state_dict"]) == {node["name"] for node in rx_config()["nodes"]}
    assert weights["metadata"]["name"] == "mine"


def test_saved_here_loaded_there_gives_the_same_bits(served: Served, fitted: Fitted) -> None:
    first = served.ready(fitted, "first")
    reply = save(served, first, "mine.yaml")
    second = served.session("second")
    served.load(second, yaml.safe_load(Path(reply.pipeline_path).read_text()))
    for path in ("mine.pt", "mine", reply.weights_path):
        served.stub.LoadPipelineWeights(
            pb.LoadPipelineWeightsRequest(session_id=second, weights_path=path)
        )
        assert served.infer(second).outputs == served.infer(first).outputs


def test_an_unfitted_pipeline_can_be_saved(served: Served) -> None:
    session = served.session()
    served.load(session, rx_config())
    assert save(served, session, "blank.yaml").success


def test_paths_that_are_refused(
    served: Served, fitted: Fitted, refused: Refused, tmp_path: Path
) -> None:
    session = served.ready(fitted)
    for path in ("", "  ", "../mine.yaml", str(tmp_path / "mine.yaml"), "/etc/mine.yaml"):
        refused(lambda path=path: save(served, session, path), StatusCode.INVALID_ARGUMENT)
    assert not list(tmp_path.glob("mine*"))
    assert not list(served.output_dir.iterdir())
    assert save(served, session, str(served.output_dir / "mine.yaml")).success
