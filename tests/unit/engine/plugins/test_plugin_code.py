"""The code of a plugin is isolated from everything else."""

import gc
import sys

import pytest
import torch

from fleet_engine import GraphInvalid
from fleet_engine.plugins import PluginCode
from fleet_platform.artifacts.content_digest import content_digest
from fleet_platform.files import pack_folder
from tests.support.plugin_folder import NODES, SCALE, write_plugin

ONES = torch.ones(1, 1, 1, 1)


@pytest.fixture
def load(tmp_path):
    """``load(changes)`` -> the code of a plugin with these files."""
    count = 0

    def make(changes=None):
        nonlocal count
        count += 1
        content = pack_folder(write_plugin(tmp_path / str(count), changes))
        return PluginCode("mine", content_digest(content), content)

    return make


def scaled(code, by=1.0):
    return code.node_class(SCALE)(by)(ONES)["scaled"].item()


def test_its_modules_import_each_other_at_import_and_later(load):
    assert scaled(load(), by=3.0) == 6.0


def test_a_source_folder_is_searched(load):
    code = load({"src/other/nodes.py": "from lab.nodes import Scale\n"})
    assert code.node_class("other.nodes.Scale") is code.node_class(SCALE)


@pytest.mark.parametrize(
    "text",
    [
        "import lab.settings\nFACTOR = lab.settings.FACTOR\n",
        "import lab.settings as s\nFACTOR = s.FACTOR\n",
        "from lab import settings\nFACTOR = settings.FACTOR\n",
        "from . import settings\nFACTOR = settings.FACTOR\n",
        "from .settings import *\n",
    ],
)
def test_every_form_of_import_stays_inside(load, text):
    code = load({"lab/more.py": text, "lab/nodes.py": NODES.replace("lab.settings", "lab.more")})
    assert scaled(code) == 2.0


def test_two_versions_of_one_plugin_are_isolated(load):
    first, second = load(), load({"lab/settings.py": "FACTOR = 5.0\n"})
    assert (scaled(first), scaled(second), scaled(first)) == (2.0, 5.0, 2.0)


def test_late_imports_also_find_the_plugins_modules(load):
    first = load({"lab/offset.py": "def offset():\n    return 10.0\n"})
    second = load({"lab/offset.py": "def offset():\n    return 20.0\n"})
    nodes = [code.node_class(SCALE)() for code in (first, second)]
    assert [node(ONES)["scaled"].item() for node in nodes] == [12.0, 22.0]


def test_nothing_else_in_the_process_is_shadowed(load, monkeypatch, tmp_path):
    (tmp_path / "installed").mkdir()
    (tmp_path / "installed/lab.py").write_text("WHOSE = 'installed'\n")
    monkeypatch.syspath_prepend(str(tmp_path / "installed"))
    code = load({"json.py": "WHOSE = 'plugin'\n", "lab/settings.py": "import json\nFACTOR = 2.0\n"})

    assert scaled(code) == 2.0

    import json

    import lab

    assert lab.WHOSE == "installed"
    assert not hasattr(json, "WHOSE")
    del sys.modules["lab"]


def test_data_files_of_the_plugin_are_available(load):
    text = (
        "from pathlib import Path\n"
        "FACTOR = float(Path(__file__).with_name('factor.txt').read_text())\n"
    )
    assert scaled(load({"lab/settings.py": text, "lab/factor.txt": "7"})) == 7.0


def test_forgotten_code_still_runs_and_its_modules_are_gone(load):
    code = load()
    node = code.node_class(SCALE)()
    package = type(node).__module__.partition(".")[0]
    assert f"{package}.lab.settings" in sys.modules

    code.forget()

    assert not [name for name in sys.modules if name.startswith(package)]
    assert node(ONES)["scaled"].item() == 2.0


def test_dropped_code_leaves_no_package_without_files(load):
    with pytest.raises(GraphInvalid):
        load().node_class("lab.none.Scale")
    gc.collect()

    assert scaled(load()) == 2.0


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({}, "lab.none.Scale", ["'lab.none' cannot be imported", "No module named 'lab.none'"]),
        ({}, "lab.nodes.Scal", ["'lab.nodes' has no 'Scal'"]),
        ({}, "lab.nodes.Port", ["not a torch module class"]),
        ({"lab/settings.py": "import not_there\n"}, SCALE, ["No module named 'not_there'"]),
        ({"lab/settings.py": "1 +\n"}, SCALE, ["SyntaxError"]),
        ({"lab/settings.py": "raise ValueError(__file__)\n"}, SCALE, ["(ValueError: lab/settings"]),
        ({"lab/settings.py": "raise SystemExit(3)\n"}, SCALE, ["SystemExit"]),
    ],
)
def test_import_errors_do_not_reveal_the_servers_folders(load, changes, path, words):
    with pytest.raises(GraphInvalid) as caught:
        load(changes).node_class(path)
    for word in (path, *words):
        assert word in caught.value.text
    assert "fleet_plugin" not in caught.value.text
