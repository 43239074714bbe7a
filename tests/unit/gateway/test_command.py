"""``python -m fleet_gateway FOLDER``."""

import json

import pytest

from fleet_gateway.__main__ import main


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """The settings of a gateway that takes keys; returns the file of keys."""
    for service in ("SESSION", "CONFIG", "TRAINER", "INFERENCE"):
        monkeypatch.setenv(f"{service}_ENDPOINTS", json.dumps([f"{service.lower()}:5000"]))
    keys = tmp_path / "keys.yaml"
    monkeypatch.setenv("API_KEYS_PATH", str(keys))
    keys.write_text("alice: alice-has-this-key-0001")
    return keys


def test_it_writes_the_files_and_tells_which_one_to_start_with(environment, tmp_path, capsys):
    folder = tmp_path / "made" / "gateway"
    assert main([str(folder)]) == 0
    assert capsys.readouterr().out.strip() == str(folder / "envoy.json")
    assert {path.name for path in folder.iterdir()} == {"envoy.json", "api_key_auth.json"}

    environment.write_text("bob: bob-has-this-key-00001")
    assert main([str(folder)]) == 0
    written = (folder / "api_key_auth.json").read_text()
    assert "bob-has" in written
    assert "alice-has" not in written


def test_keys_that_cannot_be_used_leave_the_old_ones(environment, tmp_path, capsys):
    main([str(tmp_path)])
    before = (tmp_path / "api_key_auth.json").read_text()
    environment.write_text("alice: short")
    assert main([str(tmp_path)]) == 1
    assert str(environment) in capsys.readouterr().err
    assert (tmp_path / "api_key_auth.json").read_text() == before


@pytest.mark.parametrize("arguments", [[], ["one", "two"]])
def test_without_a_folder_it_tells_how_it_is_used(capsys, arguments):
    assert main(arguments) == 2
    assert "FOLDER" in capsys.readouterr().err
