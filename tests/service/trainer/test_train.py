import threading

import grpc
import numpy as np
import pytest

from fleet_engine import build_pipeline
from fleet_engine.weights import from_safetensors, state_of
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.records.v1 import records_pb2 as records
from fleet_schemas import PipelineConfig, parse_config
from tests.support.polling import wait_until
from tests.support.scenes.rx_scene import write_scene
from tests.support.training_client import CALL_WITHIN_S, read, timed


def _texts(messages):
    return [message.message for message in messages]


def test_statistical_training_from_the_first_message_to_the_weights(client, tmp_path):
    client.apply()
    times_ms, messages = zip(*timed(client.train()), strict=True)

    texts = _texts(messages)
    assert texts[0] == "Starting statistical training"
    assert texts[-1] == "Statistical training complete"
    assert [message.status for message in messages] == [pb.TRAIN_STATUS_RUNNING] * (
        len(messages) - 1
    ) + [pb.TRAIN_STATUS_COMPLETE]
    for node in ("normalizer", "detector", "logit"):
        assert texts.index(f"Fitting {node} (0/3)") < texts.index(f"Fitted {node}")
    print(f"first message {times_ms[0]:.0f} ms, COMPLETE {times_ms[-1]:.0f} ms")

    pipeline = build_pipeline(
        parse_config(PipelineConfig, client.session.pipeline.config_json, "pipeline")
    )
    from_safetensors(pipeline, client.artifacts.get(client.session.pipeline.weights_digest))
    cube = write_scene(tmp_path / "same.npz").astype(np.float64)
    assert state_of(pipeline)["normalizer"]["running_min"] == cube.min()
    scaled = (cube - cube.min()) / (cube.max() - cube.min())
    np.testing.assert_allclose(
        state_of(pipeline)["detector"]["mu"].numpy(), scaled.mean(axis=(0, 1, 2)), rtol=1e-5
    )


def test_the_same_training_twice_gives_the_same_weights(client):
    client.apply()
    assert read(client.train())[1] is None
    first = client.session.pipeline.weights_digest
    client.apply()
    assert client.session.pipeline.weights_digest == ""
    assert read(client.train())[1] is None

    assert client.session.pipeline.weights_digest == first != ""


def test_training_again_refits(client):
    client.apply()
    read(client.train())
    first = client.session.pipeline.weights_digest

    messages, error = read(client.train(cu3s_file_path="scene.npz", train_ids=[1]))

    assert error is None
    assert messages[-1].status == pb.TRAIN_STATUS_COMPLETE
    assert client.session.pipeline.weights_digest not in {"", first}
    assert b'"train_ids":[1]' in client.session.data_config_json


def test_the_session_has_the_weights_before_the_client_receives_complete(client):
    client.apply()

    for message in client.train():
        if message.status == pb.TRAIN_STATUS_COMPLETE:
            seen = client.session.pipeline.weights_digest

    assert seen == client.run.result_weights_digest != ""
    assert client.artifacts.exists(seen)


def test_a_second_client_attaches_and_receives_every_message(client):
    client.apply()
    first = client.train_long()
    head = [next(first), next(first)]

    second = client.train_long()
    all_of_second, error = read(second)

    assert error is None
    assert head + list(first) == all_of_second
    assert all_of_second[-1].status == pb.TRAIN_STATUS_COMPLETE


def test_a_client_that_calls_again_without_data_attaches(client):
    client.apply()
    client.sessions.update(client.session_id, lambda record: record.ClearField("data_config_json"))
    first = client.train_long()
    next(first)

    messages, error = read(client.train())

    assert error is None
    assert messages == [messages[0], *list(first)]


def test_progress_is_sent_at_most_ten_times_a_second_and_no_boundary_is_lost(client):
    client.apply()
    times_ms, messages = zip(*timed(client.train_long()), strict=True)

    hooks = [message.event.hook for message in messages]
    assert hooks.count(pb.TRAIN_HOOK_STATISTICAL_NODE_START) == 3
    assert hooks.count(pb.TRAIN_HOOK_STATISTICAL_NODE_END) == 3
    progress = hooks.count(pb.TRAIN_HOOK_STATISTICAL_PROGRESS)
    assert 1 <= progress <= times_ms[-1] / 1000 * 10 + 1


def test_the_run_continues_when_its_client_leaves(client):
    client.apply()
    stream = client.train_long()
    next(stream)
    stream.cancel()

    assert client.status().status == pb.TRAIN_STATUS_RUNNING
    wait_until(
        lambda: client.status().status == pb.TRAIN_STATUS_COMPLETE,
        "the end of the run",
        CALL_WITHIN_S,
    )
    assert client.session.pipeline.weights_digest == client.run.result_weights_digest != ""


def test_nothing_is_replaced_while_it_is_being_trained(client):
    client.apply()
    stream = client.train_long()
    next(stream)

    with pytest.raises(grpc.RpcError) as refused:
        client.apply()

    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert read(stream)[1] is None


def test_a_pipeline_that_is_replaced_during_the_training_gets_no_weights(client):
    client.apply()
    stream = client.train_long()
    next(stream)

    def replace(record: records.SessionRecord) -> None:
        record.pipeline.config_digest = "another"

    client.sessions.update(client.session_id, replace)
    messages, error = read(stream)

    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert "replaced" in messages[-1].message
    assert client.session.pipeline.weights_digest == ""


def test_closing_a_session_cancels_its_training(client):
    client.apply()
    stream = client.train_long()
    next(stream)
    client.sessions.delete(client.session_id)

    messages, error = read(stream)

    assert error is None
    assert messages[-1].status == pb.TRAIN_STATUS_CANCELLED


def test_runs_of_other_sessions_wait_and_one_above_the_limit_is_rejected(client, channel, settings):
    others = [type(client)(client.stub, settings) for _ in range(2)]
    for each in (client, *others):
        each.apply()
    running = client.train_long()
    next(running)
    waiting = others[0].train()
    assert next(waiting).message == "Waiting for a free training slot: queued, 0 ahead"
    assert others[0].status().message == "Waiting for a free training slot: queued, 0 ahead"

    messages, error = read(others[1].train())

    assert messages == []
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert others[1].status().status == pb.TRAIN_STATUS_ERROR
    assert read(running)[1] is None
    assert read(waiting)[0][-1].status == pb.TRAIN_STATUS_COMPLETE


def test_concurrent_calls_create_one_run(client):
    client.apply()
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(read(client.train()))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(CALL_WITHIN_S)

    assert [error for _, error in results] == [None] * 4
    assert all(messages[-1].status == pb.TRAIN_STATUS_COMPLETE for messages, _ in results)


def test_a_session_without_any_training_has_no_activity(client):
    status = client.status()

    assert status.status == pb.TRAIN_STATUS_UNSPECIFIED
    assert status.message == "No training activity in this session yet"
