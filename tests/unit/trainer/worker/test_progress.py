import pytest

from fleet_platform.testing import MemoryRunStore
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2 import TrainResponse
from fleet_proto.records.v1.records_pb2 import Pipeline, RunRecord
from fleet_trainer.runs import messages, outcomes
from fleet_trainer.worker.progress import Progress, Superseded
from tests.unit.trainer.worker_harness import run_context


class _Clock:
    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def runs():
    return MemoryRunStore()


@pytest.fixture
def run(runs):
    runs.create(RunRecord(format_version=1, run_id="run", session_id="session"))
    return runs.claim("run", "me")


def _texts(runs):
    return [
        TrainResponse.FromString(entry.payload).message for entry in runs.tail("run", wait_s=0.01)
    ]


def test_frequent_messages_are_thinned_out_and_boundaries_are_not(runs, run):
    clock = _Clock()
    progress = Progress(run_context(run, runs=runs), clock)

    progress.send(messages.node_started("RX", 40))
    for done in range(1, 41):
        clock.now_s += 0.03
        progress.send_if_due(messages.node_progressed("RX", done, 40))
    progress.send(messages.node_ended("RX", 40, 40))
    progress.send(messages.node_started("Next", 40))

    texts = _texts(runs)
    assert texts[0] == "Fitting RX (0/40)"
    assert texts[1:-2] == [f"Fitting RX ({done}/40)" for done in range(4, 41, 4)]
    assert texts[-2:] == ["Fitted RX", "Fitting Next (0/40)"]


def test_a_superseded_owner_writes_nothing(runs, run):
    progress = Progress(run_context(run, runs=runs))
    newer = runs.claim("run", "another")

    with pytest.raises(Superseded):
        progress.send(messages.starting_statistical())
    with pytest.raises(Superseded):
        progress.finish(
            outcomes.completed(run, Pipeline(weights_digest="00")),
            messages.complete_statistical(),
        )

    assert _texts(runs) == []
    assert runs.read("run").fencing_token == newer.fencing_token
