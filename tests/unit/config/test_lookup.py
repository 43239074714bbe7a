"""The file that a path or a name resolves to."""

import pytest

from fleet_platform.errors import InvalidInput, NotFound
from tests.unit.config.conftest import SHIPPED

FLAT, NESTED = "detector", "RXGlobal"


def node(config):
    return config["nodes"][2]["name"]


@pytest.mark.parametrize(
    ("kind", "path", "search_paths", "key", "value"),
    [
        ("trainrun", "trainrun/rx_statistical", [SHIPPED], "name", "rx_statistical"),
        ("trainrun", "trainrun/rx_statistical.yaml", [SHIPPED], "name", "rx_statistical"),
        ("trainrun", "rx_statistical", [SHIPPED / "trainrun"], "name", "rx_statistical"),
        ("trainrun", "rx_statistical", [SHIPPED], "name", "rx_statistical"),
        ("trainrun", "trainrun/rx_statistical", [], "name", "rx_statistical"),
        ("trainrun", "configs/trainrun/rx_statistical.yaml", [], "name", "rx_statistical"),
        ("trainrun", f"{SHIPPED}/trainrun/rx_statistical.yaml", [], "name", "rx_statistical"),
        ("training", "training/default", [SHIPPED], "seed", 42),
        ("training", "default", [], "seed", 42),
        ("data", "data/lentils", [SHIPPED], "batch_size", 2),
        ("data", "lentils", [], "batch_size", 2),
        ("data", "trainrun/rx_statistical", [], "batch_size", 2),
        ("training", "trainrun/rx_statistical", [], "max_epochs", 10),
    ],
)
def test_a_config_is_found(resolve, kind, path, search_paths, key, value):
    assert resolve(kind, path, search_paths=search_paths)[key] == value


@pytest.mark.parametrize(
    ("path", "search_paths", "name"),
    [
        ("pipeline/rx_statistical", [SHIPPED], FLAT),
        ("rx_statistical", [SHIPPED], FLAT),
        ("rx_statistical", [SHIPPED / "pipeline"], FLAT),
        ("pipeline/anomaly/rx/rx_statistical", [SHIPPED], NESTED),
        ("pipeline/anomaly/rx/rx_statistical", [SHIPPED / "pipeline/anomaly/rx"], NESTED),
        ("anomaly/rx/rx_statistical", [SHIPPED / "pipeline"], NESTED),
        ("anomaly/rx/rx_statistical", [], NESTED),
        ("trainrun/rx_statistical", [SHIPPED], NESTED),
    ],
)
def test_nested_packages_are_unwrapped_at_any_depth(resolve, path, search_paths, name):
    assert node(resolve("pipeline", path, search_paths=search_paths)) == name


def test_the_only_file_of_a_name_is_found_below_its_folder(resolve, write):
    write("pipeline/anomaly/deep/mine.yaml", "nodes: [{name: only, class_name: a.B}]")

    assert resolve("pipeline", "pipeline/mine")["nodes"][0]["name"] == "only"
    assert resolve("pipeline", "mine")["nodes"][0]["name"] == "only"


def test_of_several_files_of_a_name_none_is_guessed(refusal, write):
    write("pipeline/a/mine.yaml", "nodes: []")
    write("pipeline/b/mine.yaml", "nodes: []")

    text = refusal(InvalidInput, "pipeline", "pipeline/mine")

    assert "'pipeline/a/mine', 'pipeline/b/mine'" in text


def test_the_session_comes_before_the_configs_of_the_server(resolve, write):
    write("data/lentils.yaml", "cu3s_file_path: mine.cu3s")

    assert resolve("data", "data/lentils")["cu3s_file_path"] == "mine.cu3s"


def test_a_trainrun_of_the_server_uses_data_of_the_session_on_request(resolve, write):
    write("data/mine.yaml", "cu3s_file_path: mine.cu3s")

    run = resolve("trainrun", "rx_statistical", "data=mine")

    assert run["data"]["cu3s_file_path"] == "mine.cu3s"


def test_defaults_are_first_looked_up_beside_the_file(resolve, write):
    write("data/lentils.yaml", "cu3s_file_path: mine.cu3s")

    run = resolve("trainrun", "trainrun/rx_statistical")

    assert run["data"]["cu3s_file_path"] == "data/Lentils/Lentils_000.cu3s"


def test_a_changed_file_is_read_again(resolve, write):
    write("data/x.yaml", "cu3s_file_path: first")
    assert resolve("data", "data/x")["cu3s_file_path"] == "first"

    write("data/x.yaml", "cu3s_file_path: second one")

    assert resolve("data", "data/x")["cu3s_file_path"] == "second one"


def test_a_missing_file_is_reported_with_the_closest_matches(refusal):
    text = refusal(NotFound, "trainrun", "trainrun/rx_statistcal")

    assert "trainrun config 'trainrun/rx_statistcal' not found" in text
    assert "Closest matches: trainrun/rx_statistical" in text
    assert str(SHIPPED) not in text


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("", "path is empty"),
        ("../trainrun/rx_statistical", "must not contain '..'"),
        ("trainrun/../../secret", "must not contain '..'"),
        ("/etc/hosts", "outside the folders"),
        ("a\0b", "cannot be the name of a file"),
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(refusal, path, names):
    assert names in refusal(InvalidInput, "trainrun", path)


def test_a_link_out_of_the_roots_is_refused(refusal, folder, tmp_path):
    (tmp_path / "secret.yaml").write_text("cu3s_file_path: /etc/shadow")
    (folder / "link.yaml").symlink_to(tmp_path / "secret.yaml")

    text = refusal(NotFound, "data", "link")

    assert "secret" not in text


def test_an_unknown_type_lists_the_known_ones(refusal):
    assert "Known: trainrun, pipeline" in refusal(InvalidInput, "nope", "trainrun/rx_statistical")
