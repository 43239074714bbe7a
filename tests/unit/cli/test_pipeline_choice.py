"""Loading a pipeline with weights by name, and shell completion."""

import grpc
import pytest

import cuvis_fleet
from cuvis_fleet.cli.commands.completion import complete_pipeline
from cuvis_fleet.cli.commands.pipeline_choice import load_named, one_of
from cuvis_fleet.cli.failures import CommandFailed
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from tests.support.fake_service import FakeService, serving

UNKNOWN = (grpc.StatusCode.NOT_FOUND, "Pipeline 'x' not found. Closest matches: rx.yaml.")


@pytest.fixture
def double():
    double = FakeService()
    double.answers |= {
        "ResolveConfig": pb.ResolveConfigResponse(config_bytes=b"{}"),
        "LoadPipeline": pb.LoadPipelineResponse(success=True),
        "LoadPipelineWeights": pb.LoadPipelineWeightsResponse(success=True),
        "ListAvailablePipelines": pb.ListAvailablePipelinesResponse(
            pipelines=[pb.PipelineInfo(pipeline_path=path) for path in ("a.yaml", "rx.yaml")]
        ),
    }
    return double


@pytest.fixture
def address(double):
    with serving(double) as address:
        yield address


@pytest.fixture
def load(address):
    with cuvis_fleet.connect(address) as client, client.session() as session:
        yield lambda name, weights=None: load_named(client, session, name, weights)


def offers(double, weights_path):
    double.answers["GetPipelineInfo"] = pb.GetPipelineInfoResponse(
        pipeline_info=pb.PipelineInfo(pipeline_path="a/rx.yaml", weights_path=weights_path)
    )


def test_an_offered_pipeline_is_loaded_with_the_weights_beside_it(double, load):
    offers(double, "/c/a/rx.pt")
    assert load("rx") == "/c/a/rx.pt"
    assert double.requests("ResolveConfig")[0].path == "a/rx"
    assert double.requests("LoadPipelineWeights")[0].weights_path == "/c/a/rx.pt"


def test_weights_of_the_user_replace_them(double, load):
    offers(double, "/c/a/rx.pt")
    assert load("rx", "mine.pt") == "mine.pt"
    assert double.requests("LoadPipelineWeights")[0].weights_path == "mine.pt"


def test_without_weights_the_initial_ones_are_used(double, load):
    offers(double, "")
    assert load("rx") is None
    assert not double.requests("LoadPipelineWeights")


def test_a_saved_pipeline_is_found_by_its_path(double, load):
    double.answers["GetPipelineInfo"] = UNKNOWN
    assert load("lab/rx.yaml") == "lab/rx.pt"
    assert double.requests("ResolveConfig")[0].path == "lab/rx"


def test_the_error_for_an_unknown_name_lists_the_closest_names(double, load):
    double.answers["GetPipelineInfo"] = UNKNOWN
    double.answers["ResolveConfig"] = (grpc.StatusCode.NOT_FOUND, "no such config")
    with pytest.raises(cuvis_fleet.NotFound, match=r"Closest matches: rx\.yaml"):
        load("x")


@pytest.mark.parametrize("given", [(None, None), ("rx", "s1")])
def test_either_a_pipeline_or_a_session_is_required(given):
    with pytest.raises(CommandFailed, match="either --pipeline"):
        one_of(*given)


def test_shells_complete_names_of_pipelines(address, monkeypatch):
    monkeypatch.setenv("CUVIS_FLEET_ADDRESS", address)
    assert complete_pipeline("r") == ["rx.yaml"]
    assert complete_pipeline("") == ["a.yaml", "rx.yaml"]


@pytest.mark.parametrize("wrong", ["127.0.0.1:1", "not an address"])
def test_shells_complete_nothing_without_a_server(monkeypatch, wrong):
    monkeypatch.setenv("CUVIS_FLEET_ADDRESS", wrong)
    assert complete_pipeline("r") == []
