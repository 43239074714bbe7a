"""Creation and deletion of sessions, and their search paths."""

import uuid

import pytest

from fleet_platform.errors import InvalidInput, NotFound
from fleet_platform.files import PathPolicy
from fleet_platform.testing import MemorySessionStore
from fleet_session.session_lifecycle import MAX_SEARCH_PATHS, SessionLifecycle


@pytest.fixture
def store():
    return MemorySessionStore(ttl_s=60)


@pytest.fixture
def life(store, tmp_path):
    for name in ("configs", "lab/one", "lab/two", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "lab/file.yaml").write_text("a: 1")
    policy = PathPolicy(
        working_dir=tmp_path,
        configs_dir=tmp_path / "configs",
        data_dir=tmp_path / "data",
        output_dir=tmp_path / "outputs",
        more_roots=(tmp_path / "lab",),
    )
    return SessionLifecycle(store, policy)


def test_a_session_has_a_random_id_and_searches_the_servers_configs(life, store, tmp_path):
    first, second = life.create(), life.create()

    assert uuid.UUID(first).version == 4
    assert first != second
    assert list(store.read(first).search_paths) == [str(tmp_path / "configs")]


def test_paths_are_appended_in_order_each_once(life, store, tmp_path):
    session_id = life.create()

    life.set_search_paths(session_id, ["lab/two", "lab/../lab/two"], append=True)
    paths = life.set_search_paths(session_id, ["lab/one", "lab/two"], append=True)

    expected = [str(tmp_path / name) for name in ("configs", "lab/two", "lab/one")]
    assert paths.current == expected == list(store.read(session_id).search_paths)
    assert paths.rejected == []


def test_paths_are_put_in_place_of_the_present_ones(life, tmp_path):
    paths = life.set_search_paths(life.create(), [f"{tmp_path}/lab/one"], append=False)

    assert paths.current == [str(tmp_path / "lab/one")]


@pytest.mark.parametrize(
    "path", ["lab/none", "lab/file.yaml", "elsewhere", "/etc", "", "a\0b", "lab/../elsewhere"]
)
def test_unreadable_folders_are_returned_as_sent(life, tmp_path, path):
    paths = life.set_search_paths(life.create(), [path, "lab/one"], append=False)

    assert paths.rejected == [path]
    assert paths.current == [str(tmp_path / "lab/one")]


@pytest.mark.parametrize("sent", [[], ["/someone/elses/configs"]])
def test_with_none_accepted_the_default_comes_back(life, tmp_path, sent):
    session_id = life.create()
    life.set_search_paths(session_id, ["lab/one"], append=False)

    paths = life.set_search_paths(session_id, sent, append=False)

    assert paths.current == [str(tmp_path / "configs")]
    assert paths.rejected == sent


def test_too_many_paths_are_refused_and_the_session_stays_as_it_was(life, store):
    session_id = life.create()
    before = store.read(session_id)

    with pytest.raises(InvalidInput, match="at most 256"):
        life.set_search_paths(session_id, ["x"] * (MAX_SEARCH_PATHS + 1), append=True)

    assert store.read(session_id) == before


def test_a_closed_session_is_gone(life):
    session_id = life.create()
    life.close(session_id)

    for call in (
        lambda: life.close(session_id),
        lambda: life.set_search_paths(session_id, [], append=True),
    ):
        with pytest.raises(NotFound, match=session_id):
            call()
