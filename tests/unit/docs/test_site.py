"""The site builds without a warning, from pages that say what the code says."""

import re
import subprocess
import sys

import pytest

from cuvis_fleet import formats, pictures
from docs import config_reference, node_catalogue, wire_reference
from docs.site_hook import GENERATED, ROOT
from fleet_proto.methods import METHODS_BY_SERVICE
from fleet_schemas import CONFIG_TYPES
from fleet_schemas.graph import built_in_nodes

_FROM_ELSEWHERE = re.compile(r"""(?:<link|<script|<img)[^>]+(?:href|src)=["'](https?:)?//""")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site; broken links and anchors fail the build.

    `--quiet` would hide warnings from `--strict` as well.
    """
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT, env={"NO_MKDOCS_2_WARNING": "1", "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert (built.returncode, built.stdout) == (0, ""), built.stderr
    assert all(line.startswith("INFO ") for line in built.stderr.splitlines()), built.stderr
    return folder


def test_every_page_is_there(site):
    for page in [*ROOT.glob("docs/**/*.md")]:
        html = page.relative_to(ROOT / "docs").with_suffix(".html")
        assert (site / html).is_file(), html
    assert all((site / name).with_suffix(".html").is_file() for name in GENERATED)


def test_nothing_is_fetched_from_elsewhere(site):
    for page in site.rglob("*.html"):
        assert not _FROM_ELSEWHERE.search(page.read_text(encoding="utf-8")), page


def test_the_api_of_the_client_is_documented(site):
    page = (site / "reference" / "client.html").read_text(encoding="utf-8")
    for name in ("connect", "Client", "Session", "Session.infer", "Session.train", "NotFound"):
        assert f'id="cuvis_fleet.{name}"' in page, name


def test_files_and_pictures_are_documented(site):
    page = (site / "reference" / "files-and-pictures.html").read_text(encoding="utf-8")
    for name in (*formats.__all__, *pictures.__all__):
        assert re.search(rf'id="cuvis_fleet\.[\w.]*\b{name}"', page), name


def test_the_wire_reference_tells_each_method_and_leaves_nothing_unsaid():
    page = wire_reference.render()
    for methods in METHODS_BY_SERVICE.values():
        assert all(f"[`{name}`]" in page for name in methods)
    assert not re.search(r"\|\s*\|$", page, re.MULTILINE), "something has no comment"


def test_the_config_reference_tells_each_key():
    page = config_reference.render()
    for model in CONFIG_TYPES.values():
        section = page.partition(f"## {model.__name__}\n")[2].partition("\n## ")[0]
        assert all(f"`{key}`" in section for key in model.model_fields)


def test_the_catalogue_tells_each_node_with_ports_and_hparams():
    page = node_catalogue.render()
    for node in built_in_nodes():
        section = page.partition(f"### {node.class_name}\n")[2].partition("\n### ")[0]
        words = [*node.paths, *node.hparams, *(f"inputs.{name}" for name in node.inputs)]
        assert all(f"`{word}`" in section for word in words), node.class_name
