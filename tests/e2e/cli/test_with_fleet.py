"""Every command in a terminal and as JSON, with a running fleet."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

import cuvis_fleet
from fleet_local.background import BackgroundStack
from tests.e2e.cli.conftest import DATA, CommandLine, environment_of
from tests.support.polling import wait_until

pytestmark = pytest.mark.e2e

SERVICES = ("config", "inference", "session", "trainer")
ENDLESS = ("training.trainer.max_epochs=10000", "training.trainer.callbacks=null")


@pytest.fixture
def cli(stack: BackgroundStack, tmp_path: Path) -> CommandLine:
    """The command line with the shared stack."""
    return CommandLine(environment_of(tmp_path, CUVIS_FLEET_ADDRESS=stack.address), tmp_path)


@pytest.fixture
def scene_file(data_dir: Path) -> Path:
    return data_dir / "scene.npz"


def test_doctor_finds_a_healthy_fleet(cli: CommandLine) -> None:
    shown = cli.shown("doctor")
    for name in (*(f"service {service}" for service in SERVICES), "Redis", "volume", "fleet"):
        assert re.search(rf"ok +{name} ", shown), shown
    (document,) = cli.documents("doctor")
    levels = {finding["check"]: finding["level"] for finding in document["findings"]}
    assert document["ok"] is True
    assert "fail" not in levels.values()
    assert {"python", "client", "port", "cuvis SDK", "GPU", "Graphviz", "server version"} <= set(
        levels
    )


def test_pipelines_are_listed_shown_and_drawn(cli: CommandLine) -> None:
    assert re.search(r"^rx_statistical\.yaml", cli.shown("pipelines", "list"), re.MULTILINE)
    (document,) = cli.documents("pipelines", "list", "--tag", "rx")
    assert all("rx" in each["tags"] for each in document["pipelines"])
    assert "RXGlobal" in cli.shown("pipelines", "show", "rx_statistical")
    (info,) = cli.documents("pipelines", "show", "rx_statistical")
    assert yaml.safe_load(info["yaml"])["metadata"]["name"] == "RX_Statistical"
    assert "flowchart" in cli.shown("pipelines", "graph", "rx_statistical")
    (document,) = cli.documents("pipelines", "graph", "rx_statistical", "--out", "graph.dot")
    assert (cli.folder / "graph.dot").stat().st_size == document["size_bytes"]
    assert b"digraph" in (cli.folder / "graph.dot").read_bytes()


def test_a_picture_of_a_pipeline_needs_graphviz(cli: CommandLine) -> None:
    arguments = ("pipelines", "graph", "rx_statistical", "--out", "graph.svg")
    if shutil.which("dot"):
        cli.documents(*arguments)
        assert b"<svg" in (cli.folder / "graph.svg").read_bytes()
    else:
        assert "install graphviz on the server" in " ".join(cli.shown(*arguments, code=12).split())
        assert not (cli.folder / "graph.svg").exists()


def test_configurations_are_resolved_as_yaml_and_as_json(cli: CommandLine) -> None:
    arguments = ("resolve", "trainrun/rx_statistical", "data.batch_size=3")
    (document,) = cli.documents(*arguments)
    assert document["data"]["batch_size"] == 3
    assert yaml.safe_load(cli.shown(*arguments, columns=200)) == document


def test_a_watched_training_draws_bars_values_and_curves(cli: CommandLine) -> None:
    arguments = ("train", "channel_selector", *DATA, "training.trainer.max_epochs=2", "--watch")
    shown = cli.shown(*arguments)
    assert "channel_selector  gradient  complete" in shown
    assert re.search(r"train total +[\d.]+ [▁-█]+", shown)
    assert re.search(r"[⠁-⣿]", shown), "no curve was drawn"
    assert re.search(r"val metrics_anomaly/iou +[\d.e-]+ [▁-█]+", shown)
    assert "cuvis-fleet infer FILE --session" in shown


def test_a_training_is_reported_as_json_lines_saved_and_inferred(
    cli: CommandLine, scene_file: Path
) -> None:
    first, *messages, last = cli.documents(
        "train", "rx_statistical", *DATA, "--save", "cli/rx.yaml"
    )
    assert first["event"] == "session"
    assert {each["event"] for each in messages} == {"progress"}
    assert messages[-1]["status"] == "complete"
    assert last["pipeline_path"].endswith("cli/rx.yaml")
    (listed,) = cli.documents("sessions", "list")
    assert listed["sessions"] == [], "the session of a saved pipeline was left open"
    outputs = ("--output", "scores", "--output", "decisions")
    written = ("--out", "s.npz", "--out", "s.hdr", "--out", "s.png")
    arguments = ("infer", scene_file, "--pipeline", "cli/rx.yaml", *outputs, *written)
    assert re.search(r"RXGlobal\.scores +float32 +1 x 32 x 32 x 1", cli.shown(*arguments))
    (result,) = cli.documents(*arguments)
    with np.load(cli.folder / "s.npz") as arrays:
        scores = arrays["RXGlobal.scores"]
        assert arrays["BinaryDecider.decisions"].dtype == np.bool_
    assert result["outputs"]["RXGlobal.scores"]["max"] == pytest.approx(float(scores.max()))
    assert (cli.folder / "s.png").read_bytes().startswith(b"\x89PNG")
    assert (cli.folder / "s.hdr").read_text(encoding="utf-8").startswith("ENVI")


def test_decisions_are_drawn_over_the_scene_and_scores_against_its_mask(
    cli: CommandLine, scene_file: Path
) -> None:
    arguments = ("infer", scene_file, "--pipeline", "rx_statistical")
    drawn = ("--overlay", "overlay.png", "--roc", "roc.svg")
    shown = cli.shown(*arguments, *drawn)
    assert "written: overlay.png" in shown
    assert "written: roc.svg" in shown
    assert (cli.folder / "overlay.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (cli.folder / "roc.svg").read_bytes()
    (result,) = cli.documents(*arguments, "--roc", "again.svg")
    assert result["written"] == ["again.svg"]
    line = cli.shown(*arguments, "--output", "scores", "--overlay", "none.png", code=3)
    shown = " ".join(line.split())
    assert "exactly one output decisions, but the outputs are detector.scores" in shown
    assert not (cli.folder / "none.png").exists()


def test_curves_are_drawn_at_the_end_and_on_ctrl_c(cli: CommandLine) -> None:
    arguments = ("train", "channel_selector", *DATA, *ENDLESS, "--curves", "left.png")
    with cli.terminal(*arguments) as running:
        running.wait_for("gradient: epoch 1, train")
        running.press_ctrl_c()
        assert running.exit_code() == 130, running.text
    assert "drawn: left.png" in running.text
    assert (cli.folder / "left.png").read_bytes().startswith(b"\x89PNG")
    session_id = running.wait_for(r"cuvis-fleet runs stop (\S+)").group(1)
    cli.shown("runs", "stop", session_id)
    # The training may still be running after the stop; attach follows it to its end.
    assert "drawn: stopped.png" in cli.shown(
        "runs", "attach", session_id, "--curves", "stopped.png", code=11
    )
    brief = ("train", "channel_selector", *DATA, "training.trainer.max_epochs=2")
    *_, last = cli.documents(*brief, "--curves", "whole.svg")
    assert last["curves"] == "whole.svg"
    assert b"<svg" in (cli.folder / "whole.svg").read_bytes()


def test_a_training_without_curves_says_so_and_is_complete(cli: CommandLine) -> None:
    shown = cli.shown("train", "rx_statistical", *DATA, "--curves", "none.png")
    assert "none.png was not drawn: the training reported no losses or metrics" in " ".join(
        shown.split()
    )
    assert not (cli.folder / "none.png").exists()


def test_ctrl_c_detaches_from_a_training_that_is_rejoined_and_saved(cli: CommandLine) -> None:
    arguments = ("train", "channel_selector", *DATA, "training.trainer.max_epochs=4")
    with cli.terminal(*arguments, "--watch", "--save", "cli/kept.yaml") as running:
        running.wait_for("gradient  running")
        running.press_ctrl_c()
        assert running.exit_code() == 130, running.text
    assert "Detached; the training continues." in running.text
    session_id = running.wait_for(r"cuvis-fleet runs attach (\S+)").group(1)
    shown = cli.shown("runs", "attach", session_id[:8], "--watch")
    assert "channel_selector  gradient  complete" in shown
    assert re.search(r"saved: \S+/cli/kept\.yaml", shown)
    assert "no runs are recorded" in cli.shown("runs", "list")


def test_a_training_that_ended_detached_is_followed_from_its_first_message(
    cli: CommandLine, stack: BackgroundStack
) -> None:
    arguments = ("train", "channel_selector", *DATA, "training.trainer.max_epochs=4")
    with cli.terminal(*arguments) as running:
        running.wait_for("gradient: epoch 1")
        running.press_ctrl_c()
        assert running.exit_code() == 130, running.text
    (run,) = cli.documents("runs", "list")[0]["runs"]
    with cuvis_fleet.connect(stack.address) as client:
        session = client.attach(run["session_id"])
        wait_until(lambda: session.status().status == "complete", "the end", 60.0)
        newest = [each.message for each in session.follow()]
        first, *messages, last = cli.documents("runs", "attach", run["session_id"])
        assert [each.message for each in session.follow()] == newest
    assert (first["event"], last["event"]) == ("session", "complete")
    assert [each["message"] for each in messages] == newest
    assert newest[0] == "Gradient training"
    assert cli.documents("runs", "attach", run["session_id"])[1:-1] == messages


def test_a_training_of_another_client_is_followed(cli: CommandLine, stack: BackgroundStack) -> None:
    with cuvis_fleet.connect(stack.address) as client, client.session() as session:
        session.apply(session.resolve("trainrun", "trainrun/channel_selector", list(DATA)))
        *_, last = session.train("gradient")
        _, first, *_, newest, _ = cli.documents("runs", "attach", session.id)
        assert (first["message"], newest["message"]) == ("Gradient training", last.message)


def test_a_detached_training_continues_until_it_is_stopped(cli: CommandLine) -> None:
    with cli.terminal("train", "channel_selector", *DATA, *ENDLESS) as running:
        running.wait_for("gradient: epoch 1")
        running.press_ctrl_c()
        assert running.exit_code() == 130, running.text
    (listed,) = cli.documents("runs", "list")
    (run,) = listed["runs"]
    assert run["status"] == "running"
    with cli.terminal("runs", "attach", run["session_id"]) as rejoined:
        rejoined.wait_for("gradient: epoch 0, train")
        assert cli.shown("runs", "stop", run["session_id"]).strip()
        assert rejoined.exit_code() == 11, rejoined.text
    assert "the training was stopped" in rejoined.text
    *_, document = cli.documents("runs", "attach", run["session_id"], code=11)
    assert document["error"]["exit_code"] == 11


def test_sessions_are_listed_used_closed_and_removed(cli: CommandLine, scene_file: Path) -> None:
    first, *_ = cli.documents("train", "rx_statistical", *DATA)
    session_id = first["session_id"]
    assert session_id in cli.shown("sessions", "list", columns=160)
    (result,) = cli.documents("infer", scene_file, "--session", session_id[:8])
    assert result["outputs"]["RXGlobal.scores"]["shape"] == [1, 32, 32, 1]
    assert "closed" in cli.shown("sessions", "close", session_id[:8])
    (listed,) = cli.documents("sessions", "list")
    assert listed["sessions"] == []
    (document,) = cli.documents("sessions", "close", session_id, code=4)
    assert session_id in document["error"]["text"]


def test_bench_reports_percentiles(cli: CommandLine) -> None:
    arguments = ("bench", "--side", "16", "--calls", "4", "--output", "decisions")
    assert re.search(r"inference 16 x 16 x 61 +[\d.]+ ms", cli.shown(*arguments))
    (document,) = cli.documents(*arguments)
    for result in document["results"]:
        assert 0 < result["p50_ms"] <= result["p90_ms"] <= result["p99_ms"] <= result["max_ms"]


def test_the_demo_runs(cli: CommandLine, data_dir: Path) -> None:
    folders = ("--data-dir", data_dir, "--output-dir", cli.folder)
    shown = cli.shown("demo", *folders)
    assert re.search(r"AUC served +0\.99", shown)
    *progress, document = cli.documents("demo", *folders)
    assert progress[-1]["status"] == "complete"
    assert document["auc"] == pytest.approx(document["auc_reference"], abs=0.002)
    assert Path(document["figure"]).read_bytes().startswith(b"\x89PNG")


def test_a_file_is_converted(cli: CommandLine, scene_file: Path) -> None:
    assert "written: one.mat" in cli.shown("convert", scene_file, "one.mat", "--measurement", "2")
    (document,) = cli.documents("convert", "one.mat", "one.npy")
    assert document == {"path": "one.npy", "left_out": ["wavelengths", "mask"]}
    with np.load(scene_file) as arrays:
        np.testing.assert_array_equal(np.load(cli.folder / "one.npy"), arrays["cube"][2])


def test_up_runs_a_stack_until_ctrl_c(lonely: CommandLine, data_dir: Path) -> None:
    from fleet_platform.ports import free_ports
    from tests.support.stacks import stack_environment

    address = f"127.0.0.1:{free_ports(1)[0]}"
    settings = stack_environment(
        lonely.folder, data_dir, {"RUN_DIR": str(lonely.folder / "run"), "WARM_CHILDREN": "0"}
    )
    with lonely.terminal("up", "--address", address, "--json", **settings) as running:
        running.wait_for(r'"event": "ready", "address": "' + re.escape(address))
        assert "ok" in lonely.shown("doctor", "--address", address)
        running.press_ctrl_c()
        assert running.exit_code() == 0, running.text
    assert '"event": "stopped", "exit_code": 0' in running.text
