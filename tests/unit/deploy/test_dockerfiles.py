"""The images of the services are consistent with each other and with the local stack."""

import importlib.util
import re
from pathlib import Path

import pytest
import yaml

from fleet_local.parts import NATIVE_ENVIRONMENT

ROOT = Path(__file__).resolve().parents[3]
FILES = {"gateway": ROOT / "envoy/Dockerfile", "service": ROOT / "services/Dockerfile"}
BUILDS = {
    name: service["build"]
    for name, service in yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))[
        "services"
    ].items()
    if "build" in service
}


@pytest.fixture(scope="module")
def texts():
    return {name: path.read_text(encoding="utf-8") for name, path in FILES.items()}


@pytest.fixture(scope="module")
def requirements():
    path = ROOT / "deploy/images/requirements.py"
    spec = importlib.util.spec_from_file_location("requirements", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_trainer_and_inference_share_the_layers_of_torch_and_no_other_service_has_them(texts):
    shared = {name: build.get("args", {}).get("SHARED") for name, build in BUILDS.items()}
    assert shared["trainer"] == shared["inference"] == "services/trainer services/inference"
    assert (shared["session"], shared["config"]) == ("services/session", "services/config")
    # What differs between services comes after the stages with the shared layers.
    before, _, _ = texts["service"].partition("FROM libraries AS service")
    assert "${SERVICE}" not in before
    assert "ARG SERVICE" not in before


@pytest.mark.parametrize("name", sorted(set(BUILDS) - {"gateway"}))
def test_each_service_is_built_from_the_one_file(name):
    build = BUILDS[name]
    assert (build["dockerfile"], build["args"]["SERVICE"]) == ("services/Dockerfile", name)
    assert (ROOT / "services" / name / "pyproject.toml").is_file()


def test_native_libraries_behave_as_in_the_local_stack(texts):
    given = dict(re.findall(r"\b([A-Z_]+)=([\w.]+)", texts["service"]))
    assert {key: given.get(key) for key in NATIVE_ENVIRONMENT} == NATIVE_ENVIRONMENT


@pytest.mark.parametrize(("name", "title"), [("gateway", "gateway"), ("service", "${SERVICE}")])
def test_an_image_is_pinned_named_watched_and_without_rights(texts, name, title):
    text = texts[name]
    for image in re.findall(r"^ARG \w+_IMAGE=(\S+)", text, re.MULTILINE):
        assert re.search(r":v?\d+\.\d+", image), image
    final = text.rpartition("\nFROM ")[2]
    assert "\nUSER fleet\n" in final
    assert "\nHEALTHCHECK " in final
    assert f'org.opencontainers.image.title="cuvis-fleet {title}"' in final


@pytest.mark.parametrize("name", BUILDS)
def test_images_install_what_the_copied_packages_require(texts, name, requirements, tmp_path):
    text = texts["gateway" if name == "gateway" else "service"]
    copied = re.findall(r"^COPY (\S+)/pyproject.toml", text, re.MULTILINE)
    for package in copied:
        (tmp_path / package).mkdir(parents=True)
        (tmp_path / package / "pyproject.toml").write_bytes(
            (ROOT / package / "pyproject.toml").read_bytes()
        )
    asked = re.search(r"requirements.py third-party (.+) >", text)[1]
    packages = asked.replace("${SHARED}", BUILDS[name].get("args", {}).get("SHARED", "")).split()
    found = requirements.third_party(packages, tmp_path)
    assert any(each.startswith("grpcio") for each in found)
    assert not any(each.startswith("cuvis-fleet") for each in found)
    has_torch = name in {"trainer", "inference"}
    assert any(each.startswith("torch>") for each in found) == has_torch
    libraries = requirements.libraries(packages, tmp_path)
    assert "./proto" in libraries
    assert ("./libs/engine" in libraries) == has_torch
    assert all((ROOT / each / "src").is_dir() for each in libraries)


def test_a_package_that_was_not_copied_is_named(requirements, tmp_path):
    (tmp_path / "services/config").mkdir(parents=True)
    (tmp_path / "services/config/pyproject.toml").write_bytes(
        (ROOT / "services/config/pyproject.toml").read_bytes()
    )
    with pytest.raises(FileNotFoundError, match="schemas"):
        requirements.third_party(["services/config"], tmp_path)
