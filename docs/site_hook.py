"""Hook of mkdocs: pages generated from code, and links that lead out of the folder.

Most pages below ``reference/``, the changelog and the page for contributors are generated while the
site is built. ``Operations`` has every page that is not elsewhere in the navigation, ``Decisions``
has every record of ``adr/``.
"""

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from deploy.packages import licences
from docs import config_reference, node_catalogue, wire_reference

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"

_LICENCES = """# Licences

cuvis-fleet is Apache-2.0. What its packages need, directly or through others, in the versions that
the tests run with:

"""
_CLIENT = """# The client's API

::: cuvis_fleet
    options:
      show_root_heading: false
      show_root_toc_entry: false
      inherited_members: true
"""
_FILES_AND_PICTURES = """# Files and pictures

::: cuvis_fleet.formats

::: cuvis_fleet.pictures
    options:
      members: false

"""
_PICTURES = """
preview.preview spectra.spectra score_map.score_map decision_overlay.decision_overlay roc_curve.roc
roc_curve.Roc training_curves.training_curves pipeline_graph.pipeline_graph saving.save
saving.check_path
"""
"""Functions by module; the names that the package exports would resolve to the modules."""

GENERATED: Mapping[str, Callable[[], str]] = {
    "reference/client.md": lambda: _CLIENT,
    "reference/files-and-pictures.md": lambda: _FILES_AND_PICTURES + _pictures(),
    "reference/configs.md": config_reference.render,
    "reference/licences.md": lambda: _LICENCES + licences.table(),
    "reference/nodes.md": node_catalogue.render,
    "reference/wire.md": wire_reference.render,
    "contributing.md": lambda: _file_of_root("CONTRIBUTING.md"),
    "changelog.md": lambda: _file_of_root("CHANGELOG.md"),
}
"""Pages of the site that are not files of ``docs/``, and the function that renders each."""

_ELSEWHERE = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md"}
_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]*)\]\((?P<target>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Complete the navigation."""
    nav: list[Any] = config.nav or []
    placed = set(_pages(nav))
    records = sorted(each.relative_to(DOCS).as_posix() for each in DOCS.glob("adr/*.md"))
    others = sorted(each.name for each in DOCS.glob("*.md") if each.name not in placed)
    project = ["architecture.md", {"Decisions": records}, "contributing.md", "changelog.md"]
    config.nav = [
        *nav,
        {"Operations": [name for name in others if name not in project]},
        {"The project": project},
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    for name, render in GENERATED.items():
        files.append(File.generated(config, name, content=render()))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Point links to files of the repository at a page of the site, or make them plain text."""
    folder = posixpath.dirname(page.file.src_uri)

    def replaced(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(folder, found["target"]))
        if not target.startswith("../") or "://" in found["target"]:
            return found[0]
        inside = _ELSEWHERE.get(target.removeprefix("../"))
        if inside is None:
            return f"{found['text']} (`{target.removeprefix('../')}`)"
        return f"[{found['text']}]({posixpath.relpath(inside, folder or '.')})"

    return _LINK.sub(replaced, markdown)


def on_page_content(html: str, **_: Any) -> str:
    """Remove the ``::`` that introduces code in docstrings; Markdown does not know it."""
    return html.replace("<p>::</p>\n", "")


def _pictures() -> str:
    return "\n".join(
        f"::: cuvis_fleet.pictures.{each}\n    options:\n      heading_level: 3\n"
        for each in _PICTURES.split()
    )


def _file_of_root(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8").replace("](docs/", "](")


def _pages(nav: Any) -> Iterator[str]:
    if isinstance(nav, str):
        yield nav
    elif isinstance(nav, dict | list):
        for each in nav.values() if isinstance(nav, dict) else nav:
            yield from _pages(each)
