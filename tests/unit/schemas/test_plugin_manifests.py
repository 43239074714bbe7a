"""Manifests of both generations."""

import json

import pytest

from fleet_platform.errors import InvalidInput
from fleet_schemas.plugins import read_manifest, read_manifests

OLDER = {
    "plugins": {
        "adaclip": {
            "repo": "https://example.org/adaclip.git",
            "tag": "v0.1.2",
            "provides": ["cuvis_ai_adaclip.node.AdaCLIPDetector"],
        },
        "mine": {"path": "../mine", "provides": ["mine.A", "mine.deep.B"]},
    }
}
NEWER = {
    "name": "mine",
    "package_name": "my-plugin",
    "path": "/plugins/mine",
    "extras": ["gpu"],
    "weights": [{"name": "w"}],
    "capabilities": [
        {
            "class_name": "mine.nodes.Smooth",
            "category": "transform",
            "tags": ["image"],
            "icon_svg": "<svg/>",
            "input_specs": {"data": {"dtype": "float32", "shape": [-1, -1, -1, -1]}},
            "output_specs": {"data": {"dtype": "float32", "shape": [-1, -1, -1, -1]}},
            "doc_summary": "Smooths.",
        },
        {"class_name": "mine.data.Reader", "kind": "data_module", "data_module_name": "mine"},
    ],
}


def as_json(content):
    return json.dumps(content).encode()


def test_the_older_form_has_several_plugins():
    (adaclip, mine), has_objects = read_manifests(as_json(OLDER))
    assert not has_objects
    assert (adaclip.name, adaclip.is_git, adaclip.tag) == ("adaclip", True, "v0.1.2")
    assert adaclip.source == "https://example.org/adaclip.git"
    assert (mine.is_git, mine.source) == (False, "../mine")
    assert mine.class_paths == ["mine.A", "mine.deep.B"]


def test_the_last_releases_of_the_older_form_describe_classes_by_objects():
    plugin = {"path": "../mine", "provides": [{"class_name": "mine.A", "category": "model"}]}
    (mine,), has_objects = read_manifests(as_json({"plugins": {"mine": plugin}}))
    assert has_objects
    assert mine.class_paths == ["mine.A"]


def test_the_newer_form_has_one_plugin_with_more_fields():
    manifest, fault = read_manifest(as_json(NEWER))
    assert fault == ""
    assert manifest.class_paths == ["mine.nodes.Smooth", "mine.data.Reader"]
    smooth, reader = manifest.capabilities
    assert smooth.input_specs["data"].dtype == "float32"
    assert reader.kind == "data_module"
    assert "icon_svg" not in json.dumps(manifest.to_dict())


WRONG = {
    "no class": ({"capabilities": []}, "capabilities"),
    "not dotted": ({"capabilities": [{"class_name": "Smooth"}]}, "full dotted path"),
    "no name of a class": ({"capabilities": [{"class_name": "a.b-c"}]}, "full dotted path"),
    "no source": ({"path": None}, "either 'path', or 'repo' and 'tag'"),
    "two sources": ({"repo": "https://x", "tag": "v1"}, "either 'path'"),
    "no tag": ({"path": None, "repo": "https://x"}, "needs a 'tag'"),
    "an option as tag": ({"path": None, "repo": "https://x", "tag": "-u"}, "name of a tag"),
    "another protocol": ({"path": None, "repo": "ext::sh -c x", "tag": "v1"}, "https://"),
    "a file as repository": ({"path": None, "repo": "file:///etc", "tag": "v1"}, "https://"),
    "a name with a slash": ({"name": "../x"}, "must be an identifier"),
    "an unknown kind": ({"capabilities": [{"class_name": "a.B", "kind": "x"}]}, "kind"),
}


@pytest.mark.parametrize("case", WRONG)
def test_faults_are_reported(case):
    change, text = WRONG[case]
    manifest, fault = read_manifest(as_json(NEWER | change))
    assert manifest is None
    assert text in fault


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff", b"null"])
@pytest.mark.parametrize("read", [read_manifest, read_manifests])
def test_other_values_than_objects_are_refused(read, raw):
    with pytest.raises(InvalidInput, match="manifest"):
        read(raw)


def test_one_invalid_plugin_refuses_them_all():
    content = {"plugins": OLDER["plugins"] | {"bad": {"path": "x", "provides": []}, "b": 1}}
    with pytest.raises(InvalidInput, match=r"manifest\.plugins\.bad\.capabilities") as caught:
        read_manifests(as_json(content))
    assert "manifest.plugins.b:" in caught.value.text


def test_the_older_form_needs_its_key():
    with pytest.raises(InvalidInput, match="plugins"):
        read_manifests(as_json(NEWER))
