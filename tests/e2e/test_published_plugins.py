"""The palette and the plugins of published releases' clients, each in the form that it reads."""

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.published]

BUILTIN = "cuvis_ai_builtin"


def test_ports_have_the_form_that_the_release_reads(workflow):
    palette = workflow.facts["palette"]
    assert palette["port"] == {"name": "data", "shape": [-1, -1, -1, -1], "optional": False}
    assert palette["dtype"] == "D_TYPE_FLOAT32"
    assert palette["classes"] > 50


def test_plugins_are_registered_and_listed(workflow):
    plugins = workflow.facts["plugins"]
    name = BUILTIN if workflow.release.is_flat else "lab_nodes"
    assert workflow.facts["registered"] == [name]
    assert plugins["names"][0] == name
    assert plugins["type"] == "git"
    assert plugins["tag"] == ("v0.19.3" if workflow.release.version == "0.14.2" else "v1.2.3")
    assert any(path.endswith("rx_detector.RXGlobal") for path in plugins["classes"])


def test_the_newest_builtin_manifest_is_told_as_it_was_published(workflow):
    if workflow.release.version != "0.14.2":
        return
    assert workflow.facts["plugins"]["names"] == [BUILTIN, "cuvis_ai_dataloader"]
    assert len(workflow.facts["plugins"]["classes"]) == 170
