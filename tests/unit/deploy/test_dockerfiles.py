"""The Dockerfiles agree with each other and with the local stack."""

import importlib.util
import re
from pathlib import Path

import pytest

from fleet_local.parts import NATIVE_ENVIRONMENT

ROOT = Path(__file__).resolve().parents[3]
FILES = {
    name: ROOT / folder / "Dockerfile"
    for name, folder in {
        "gateway": "envoy",
        **{name: f"services/{name}" for name in ("session", "config", "trainer", "inference")},
    }.items()
}


@pytest.fixture(scope="module")
def texts():
    return {name: path.read_text(encoding="utf-8") for name, path in FILES.items()}


@pytest.fixture(scope="module")
def third_party():
    path = ROOT / "deploy/images/third_party.py"
    spec = importlib.util.spec_from_file_location("third_party", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.third_party


def test_trainer_and_inference_are_built_on_the_same_stages(texts):
    until = "FROM engine AS service"
    shared = {texts[name].partition(until)[0] for name in ("trainer", "inference")}
    assert len(shared) == 1
    assert "AS engine\n" in shared.pop()


@pytest.mark.parametrize("name", sorted(set(FILES) - {"gateway"}))
def test_native_libraries_behave_as_in_the_local_stack(texts, name):
    told = dict(re.findall(r"\b([A-Z_]+)=([\w.]+)", texts[name]))
    expected = dict(NATIVE_ENVIRONMENT)
    if name in {"session", "config"}:
        del expected["OMP_WAIT_POLICY"]
    assert {key: told.get(key) for key in expected} == expected


@pytest.mark.parametrize("name", FILES)
def test_an_image_is_pinned_named_watched_and_without_rights(texts, name):
    text = texts[name]
    for image in re.findall(r"^ARG \w+_IMAGE=(\S+)", text, re.MULTILINE):
        assert re.search(r":v?\d+\.\d+", image), image
    final = text.rpartition("\nFROM ")[2]
    assert "\nUSER fleet\n" in final
    assert "\nHEALTHCHECK " in final
    assert f'org.opencontainers.image.title="cuvis-fleet {name}"' in final


@pytest.mark.parametrize("name", FILES)
def test_third_party_packages_are_installed_from_the_rooms_that_are_copied(
    texts, name, third_party, tmp_path
):
    copied = re.findall(r"^COPY (\S+)/pyproject.toml", texts[name], re.MULTILINE)
    for room in copied:
        (tmp_path / room).mkdir(parents=True)
        (tmp_path / room / "pyproject.toml").write_bytes(
            (ROOT / room / "pyproject.toml").read_bytes()
        )
    asked = re.search(r"third_party.py (.+) >", texts[name])[1].split()
    found = third_party(asked, tmp_path)
    assert any(each.startswith("grpcio") for each in found)
    assert not any(each.startswith("cuvis-fleet") for each in found)
    assert any(each.startswith("torch>") for each in found) == (name in {"trainer", "inference"})


def test_a_room_that_was_not_copied_is_named(third_party, tmp_path):
    (tmp_path / "services/config").mkdir(parents=True)
    (tmp_path / "services/config/pyproject.toml").write_bytes(
        (ROOT / "services/config/pyproject.toml").read_bytes()
    )
    with pytest.raises(FileNotFoundError, match="schemas"):
        third_party(["services/config"], tmp_path)
