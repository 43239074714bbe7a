"""Plugins from git repositories: each tag is fetched once."""

import subprocess

import pytest

from fleet_platform.errors import InvalidInput
from fleet_platform.files import PathPolicy
from fleet_platform.testing import MemoryArtifactStore
from fleet_schemas.plugins import PluginManifest
from fleet_session.git_clones import GitClones
from fleet_session.plugin_sources import PluginSources
from tests.support.plugin_folder import SCALE, write_plugin

NORM = "cuvis_ai.node.normalization.MinMaxNormalizer"


def git(folder, *arguments):
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path):
    folder = write_plugin(tmp_path / "repository")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "-A")
    git(folder, "commit", "--quiet", "-m", "one")
    git(folder, "tag", "v1")
    (folder / "lab/settings.py").write_text("FACTOR = 3.0\n")
    git(folder, "commit", "--quiet", "-a", "-m", "two")
    git(folder, "tag", "-a", "v2", "-m", "two")
    return folder.as_uri()


@pytest.fixture
def clones(tmp_path):
    return GitClones(tmp_path / "clones", protocols="file")


def factor(tree):
    return (tree / "lab/settings.py").read_text()


def test_each_tag_has_separate_files(clones, repository):
    first, second = (clones.tree("mine", repository, tag) for tag in ("v1", "v2"))
    assert (factor(first), factor(second)) == ("FACTOR = 2.0\n", "FACTOR = 3.0\n")


def test_a_tag_is_fetched_once(clones, repository, tmp_path):
    tree = clones.tree("mine", repository, "v1")
    (tmp_path / "repository").rename(tmp_path / "gone")
    assert clones.tree("mine", repository, "v1") == tree


@pytest.mark.parametrize("tag", ["none", "main", "HEAD", "../heads/main"])
def test_an_invalid_tag_is_refused_and_leaves_no_files(clones, repository, tmp_path, tag):
    with pytest.raises(InvalidInput, match="cannot be fetched"):
        clones.tree("mine", repository, tag)
    assert list((tmp_path / "clones").iterdir()) == []


def test_protocols_that_are_not_allowed_are_refused(tmp_path, repository):
    with pytest.raises(InvalidInput, match="cannot be fetched"):
        GitClones(tmp_path / "clones").tree("mine", repository, "v1")


def test_a_repository_that_answers_too_late_is_refused(clones, repository):
    with pytest.raises(InvalidInput, match="cannot be fetched"):
        clones.tree("mine", repository, "v1", wait_s=1e-6)


def test_they_are_cleared_by_name_or_all(clones, repository):
    for name, tag in (("mine", "v1"), ("mine", "v2"), ("yours", "v1")):
        clones.tree(name, repository, tag)
    assert clones.clear("min") == 0
    assert clones.clear("mine") == 2
    assert clones.clear("") == 1
    assert clones.clear("") == 0


@pytest.fixture
def sources(tmp_path, clones):
    """``sources(allowed)`` -> where plugins come from under that setting."""

    def make(allowed):
        folder = tmp_path / "x"
        return PluginSources(
            paths=PathPolicy(folder, folder, folder, folder),
            artifacts=MemoryArtifactStore(),
            allowed=allowed,
            clones=clones,
        )

    return make


def manifest(repository, *paths):
    # The schema lets no file be a repository.
    made = PluginManifest.model_validate(
        {"name": "mine", "repo": "https://x", "tag": "v1", "provides": list(paths)}
    )
    return made.model_copy(update={"repo": repository})


def test_a_repository_is_used_if_the_operator_allows_it(sources, repository):
    assert sources("git").keep(manifest(repository, SCALE), (), None)
    with pytest.raises(InvalidInput, match="PLUGINS=git"):
        sources("local").keep(manifest(repository, SCALE), (), None)


def test_a_repository_out_of_reach_costs_only_what_is_not_built_in(sources, tmp_path):
    away = (tmp_path / "away").as_uri()
    assert sources("git").keep(manifest(away, NORM, SCALE), (), None) == ""
    with pytest.raises(InvalidInput, match="cannot be fetched"):
        sources("git").keep(manifest(away, SCALE), (), None)
