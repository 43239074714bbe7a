"""Plugins over the wire, in the forms of both generations of releases."""

import json
import subprocess
import uuid
from pathlib import Path

import grpc
import pytest

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_session import plugin_registry
from tests.support.plugin_folder import SCALE, write_plugin

NORM = "cuvis_ai.node.normalization.MinMaxNormalizer"
NEWER = "cuvis_ai.node.video.ToVideoNode"
GIT = {"repo": "https://example.org/x.git", "tag": "v1"}


@pytest.fixture
def service(start_session):
    return start_session()


@pytest.fixture
def session(service):
    return service.stub.CreateSession(pb.CreateSessionRequest()).session_id


@pytest.fixture
def folder(tmp_path):
    """A plugin below the server's configs, which clients may read."""
    return write_plugin(tmp_path / "plugin")


def code_of(call):
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.code(), caught.value.details()


def load_one(service, session, content):
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return service.stub.LoadPlugin(
        pb.LoadPluginRequest(session_id=session, manifest=pb.PluginManifest(config_bytes=raw))
    )


def load_all(service, session, content):
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return service.stub.LoadPlugins(
        pb.LoadPluginsRequest(session_id=session, manifest=pb.PluginManifest(config_bytes=raw))
    )


def listed(service, session):
    request = pb.ListLoadedPluginsRequest(session_id=session)
    return list(service.stub.ListLoadedPlugins(request).plugins)


def newer(*paths, name="mine", **source):
    return {"name": name, "capabilities": [{"class_name": path} for path in paths], **source}


def install(service, folder, name="plugin"):
    """Move a plugin below the folders that clients may read; returns its path."""
    place = f"{service.configs}/{name}"
    folder.rename(place)
    return place


def test_the_newest_builtin_manifest_is_accepted_and_listed(service, session):
    manifest = newer(NORM, NEWER, name="cuvis_ai_builtin", **GIT, package_name="cuvis-ai")

    reply = load_one(service, session, manifest)

    assert (reply.registered_plugin, reply.error) == ("cuvis_ai_builtin", "")
    (plugin,) = listed(service, session)
    assert (plugin.name, plugin.type) == ("cuvis_ai_builtin", "git")
    assert (plugin.source, plugin.tag) == (GIT["repo"], "v1")
    assert list(plugin.capabilities) == [NORM, NEWER]
    record = service.sessions.read(session)
    assert record.plugins[0].code_digest == ""
    assert not record.uses_port_lists


def test_the_newest_data_loader_is_accepted(service, session):
    reader = {"class_name": "x.Y", "kind": "data_module", "data_module_name": "cu3s"}
    reply = load_one(service, session, {"name": "loader", "capabilities": [reader], **GIT})
    assert reply.registered_plugin == "loader"
    other = {"name": "other", "capabilities": [reader | {"data_module_name": "dng"}], **GIT}
    assert "own readers" in load_one(service, session, other).error


def test_a_local_plugin_is_kept_as_it_is_now(service, session, folder):
    path = install(service, folder)

    reply = load_all(service, session, {"plugins": {"mine": {"path": path, "provides": [SCALE]}}})

    assert (list(reply.registered_plugins), dict(reply.failed_plugins)) == (["mine"], {})
    record = service.sessions.read(session)
    assert record.uses_port_lists
    assert service.artifacts.exists(record.plugins[0].code_digest)
    (plugin,) = listed(service, session)
    assert (plugin.type, plugin.source, plugin.tag) == ("local", path, "")


def test_clients_since_0_5_0_read_no_port_lists(service, session):
    plugin = {"provides": [{"class_name": NORM}], **GIT}

    reply = load_all(service, session, {"plugins": {"builtin": plugin}})

    assert list(reply.registered_plugins) == ["builtin"]
    assert not service.sessions.read(session).uses_port_lists


def test_loading_it_again_takes_what_was_changed(service, session, folder):
    path = install(service, folder)
    load_one(service, session, newer(SCALE, path=path))
    load_one(service, session, newer(NORM, name="second", **GIT))
    before = service.sessions.read(session).plugins[0].code_digest
    Path(path, "lab/settings.py").write_text("FACTOR = 3.0\n")

    load_one(service, session, newer(SCALE, path=path))

    plugins = service.sessions.read(session).plugins
    assert [plugin.name for plugin in plugins] == ["mine", "second"]
    assert plugins[0].code_digest != before


def test_a_relative_path_starts_at_the_sessions_folders(service, session, folder):
    install(service, folder)
    assert load_one(service, session, newer(SCALE, path="plugin")).registered_plugin == "mine"


FAILURES = {
    "outside": ({"path": "/etc"}, [SCALE], "outside the folders that code may come from"),
    "not there": ({"path": "none"}, [SCALE], "Folder 'none' not found"),
    "no such module": ({"path": "plugin"}, ["lab.other.X"], "no module 'lab.other'"),
    "no such class": ({"path": "plugin"}, ["lab.nodes.X"], "'lab.nodes' has no 'X'"),
    "a repository": (GIT, ["lab.nodes.Scale"], "PLUGINS=git"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_a_plugin_that_fails_does_not_make_the_call_fail(service, session, folder, case):
    install(service, folder)
    source, paths, text = FAILURES[case]

    reply = load_one(service, session, newer(*paths, **source))
    assert reply.registered_plugin == ""
    assert text in reply.error

    content = {
        "plugins": {
            "bad": {**source, "provides": paths},
            "good": {"path": "plugin", "provides": [SCALE]},
        }
    }
    replies = load_all(service, session, content)
    assert list(replies.registered_plugins) == ["good"]
    assert replies.failed_plugins.keys() == {"bad"}
    assert text in replies.failed_plugins["bad"]
    assert [plugin.name for plugin in listed(service, session)] == ["good"]


def test_a_syntax_error_is_reported_with_its_line(service, session, tmp_path):
    install(service, write_plugin(tmp_path / "plugin", {"lab/nodes.py": "x = 1\nclass Scale(:\n"}))
    reply = load_one(service, session, newer(SCALE, path="plugin"))
    assert "'lab.nodes' is not valid Python: invalid syntax in line 2" in reply.error


def test_code_in_the_output_folder_never_runs(service, session, folder, tmp_path):
    (tmp_path / "out").mkdir()
    folder.rename(tmp_path / "out/plugin")
    reply = load_one(service, session, newer(SCALE, path=str(tmp_path / "out/plugin")))
    assert "outside" in reply.error


def test_a_link_out_of_the_folder_is_refused(service, session, folder, tmp_path):
    path = install(service, folder)
    (tmp_path / "secret").write_text("s")
    subprocess.run(["ln", "-s", str(tmp_path / "secret"), f"{path}/lab/secret"], check=True)
    reply = load_one(service, session, newer(SCALE, path=path))
    assert "points out of the folder" in reply.error
    assert str(tmp_path) not in reply.error


def test_plugins_that_are_off_are_refused_by_the_settings_name(start_session, folder):
    service = start_session(plugins="off")
    session = service.stub.CreateSession(pb.CreateSessionRequest()).session_id
    path = install(service, folder)
    assert "PLUGINS=local" in load_one(service, session, newer(SCALE, path=path)).error
    assert load_one(service, session, newer(NORM, **GIT)).registered_plugin == "mine"


@pytest.mark.parametrize("load", [load_one, load_all])
@pytest.mark.parametrize("raw", [b"", b"{", b"[1]", b"\xff"])
def test_an_invalid_manifest_is_refused(service, session, load, raw):
    code, details = code_of(lambda: load(service, session, raw))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert details.startswith("manifest")


def test_a_manifest_against_its_schema(service, session):
    reply = load_one(service, session, {"name": "x", "path": "plugin", "capabilities": []})
    assert reply.registered_plugin == ""
    assert reply.error.startswith("manifest.capabilities:")
    content = {"plugins": {"x": {"path": "plugin", "provides": []}}}
    code, details = code_of(lambda: load_all(service, session, content))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert details.startswith("manifest.plugins.x.capabilities:")


def test_one_plugin_is_returned_and_an_unknown_one_not_found(service, session):
    load_one(service, session, newer(NORM, **GIT))
    request = pb.GetPluginInfoRequest(session_id=session, plugin_name="mine")
    assert service.stub.GetPluginInfo(request).plugin.capabilities == [NORM]

    request.plugin_name = "yours"
    code, details = code_of(lambda: service.stub.GetPluginInfo(request))
    assert code is grpc.StatusCode.NOT_FOUND
    assert details == "Plugin 'yours' is not registered in this session. Registered: mine."


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("LoadPlugin", pb.LoadPluginRequest),
        ("LoadPlugins", pb.LoadPluginsRequest),
        ("ListLoadedPlugins", pb.ListLoadedPluginsRequest),
        ("GetPluginInfo", pb.GetPluginInfoRequest),
    ],
)
def test_an_unknown_session_is_not_found(service, method, request_):
    unknown = request_(session_id=str(uuid.uuid4()))
    code, details = code_of(lambda: getattr(service.stub, method)(unknown))
    assert code is grpc.StatusCode.NOT_FOUND
    assert "Session" in details


def test_the_number_of_plugins_is_bounded(service, session):
    provides = {"provides": [NORM], **GIT}
    most = {"plugins": {f"p{i}": provides for i in range(plugin_registry.MAX_PLUGINS)}}
    assert len(load_all(service, session, most).registered_plugins) == plugin_registry.MAX_PLUGINS
    assert load_all(service, session, most).registered_plugins

    code, details = code_of(lambda: load_one(service, session, newer(NORM, name="more", **GIT)))

    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "at most 32" in details


def test_the_size_of_manifests_is_limited(service, session):
    capability = {"class_name": NEWER, "doc_summary": "x" * 2 * 1024**2}
    manifest = {"name": "big", "capabilities": [{"class_name": NORM}, capability], **GIT}
    code, details = code_of(lambda: load_one(service, session, manifest))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "the limit is 1048576" in details
    assert listed(service, session) == []


def test_there_is_nothing_to_clear_where_nothing_was_fetched(service):
    assert service.stub.ClearPluginCache(pb.ClearPluginCacheRequest()).cleared_count == 0
