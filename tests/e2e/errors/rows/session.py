"""Errors of the session service's methods."""

import json

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb2
from tests.e2e.errors.row import TableRow
from tests.e2e.errors.rows.recurring import fields, row, unknown_session
from tests.support.case import EXHAUSTED, INVALID, MISSING, Fields

_BUILT_IN = "cuvis_ai.anomaly.rx_detector.RXGlobal"
_SHORTER = "Shorten the manifest."
_JSON = "Send the manifest as UTF-8 JSON."


def _manifest(content: object) -> Fields:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return {"manifest": pb2.PluginManifest(config_bytes=raw)}


def _plugins(count: int) -> Fields:
    plugin = {"path": "plugins", "provides": [_BUILT_IN]}
    return _manifest({"plugins": {f"plugin_{number}": plugin for number in range(count)}})


def _wordy() -> Fields:
    more = {"class_name": "lab.nodes.Wordy", "doc_summary": "x" * 1_200_000}
    capabilities = [{"class_name": _BUILT_IN}, more]
    return _manifest({"plugins": {"wordy": {"path": "plugins", "capabilities": capabilities}}})


NOTES = {
    "SetSessionSearchPaths": "Folders that do not exist or must not be read are not an error; the "
    "reply lists them in `rejected_paths`.",
    "LoadPlugin": "Errors in the plugin itself are not failures of the call; the reply has them in "
    "`error`.",
    "LoadPlugins": "Errors in one of the plugins are not failures of the call; the reply lists "
    "them in `failed_plugins`, and the other plugins are registered.",
}

ROWS: list[TableRow] = [
    unknown_session("CloseSession"),
    unknown_session("SetSessionSearchPaths"),
    row(
        "SetSessionSearchPaths",
        "too many folders",
        INVALID,
        "search_paths: 257 folders; a session may have at most 256.",
        "Name fewer folders; their subfolders are searched, too.",
        fields(search_paths=["configs"] * 257),
    ),
    unknown_session("LoadPlugin"),
    row(
        "LoadPlugin",
        "an empty manifest",
        INVALID,
        "manifest: the config is empty. Send it as UTF-8 JSON.",
        _JSON,
    ),
    row(
        "LoadPlugin",
        "a manifest that is not JSON",
        INVALID,
        "manifest: not JSON: Expecting value at line 1, column 1.",
        _JSON,
        lambda: _manifest(b"name: lab"),
    ),
    row(
        "LoadPlugin",
        "a manifest that is not an object",
        INVALID,
        "manifest: must be a JSON object, got a list.",
        _JSON,
        lambda: _manifest(["lab"]),
    ),
    row(
        "LoadPlugin",
        "a manifest that is too large",
        EXHAUSTED,
        "manifest: the config has 9437184 bytes; the limit is 8388608.",
        _SHORTER,
        lambda: _manifest(b" " * (9 * 1024**2)),
    ),
    unknown_session("LoadPlugins"),
    row(
        "LoadPlugins",
        "an empty manifest",
        INVALID,
        "manifest: the config is empty. Send it as UTF-8 JSON.",
        _JSON,
    ),
    row(
        "LoadPlugins",
        "a manifest without plugins",
        INVALID,
        "manifest.plugins: missing; manifest.name: unknown key. Allowed here: plugins.",
        "List them by name under `plugins`.",
        lambda: _manifest({"name": "lab"}),
    ),
    row(
        "LoadPlugins",
        "a malformed plugin entry",
        INVALID,
        "manifest.plugins.lab: needs either 'path', or 'repo' and 'tag', got an object.",
        "Correct the field that the text names.",
        lambda: _manifest({"plugins": {"lab": {"provides": [_BUILT_IN]}}}),
    ),
    row(
        "LoadPlugins",
        "too many plugins",
        EXHAUSTED,
        "33 plugins; a session may have at most 32.",
        "Register only the plugins that are used.",
        lambda: _plugins(33),
    ),
    row(
        "LoadPlugins",
        "manifests that are too large together",
        EXHAUSTED,
        "The manifests of the session's plugins have 1200155 bytes; the limit is 1048576.",
        _SHORTER,
        _wordy,
    ),
    unknown_session("ListLoadedPlugins"),
    unknown_session("GetPluginInfo", plugin_name="lab"),
    row(
        "GetPluginInfo",
        "an unknown plugin",
        MISSING,
        "Plugin 'lab' is not registered in this session. Registered: none.",
        "Use a name listed in the text, or register the plugin with `LoadPlugin`.",
        fields(plugin_name="lab"),
    ),
]
