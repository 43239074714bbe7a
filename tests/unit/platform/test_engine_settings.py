import pytest
from pydantic import ValidationError

from fleet_platform.engine_settings import EngineSettings


def test_node_packages_are_separated_by_commas(monkeypatch):
    monkeypatch.setenv("NODE_PACKAGES", "lab.nodes, cuvis_ai,")
    assert EngineSettings().node_packages == ("lab.nodes", "cuvis_ai")


def test_they_are_inherited_by_a_child_process():
    settings = EngineSettings(node_packages=("lab.nodes",))
    assert EngineSettings.model_validate_json(settings.model_dump_json()) == settings


@pytest.mark.parametrize("prefix", ["lab-nodes", "lab..nodes", "*", ".lab", "lab.*"])
def test_other_than_dotted_names_are_rejected(prefix):
    with pytest.raises(ValidationError, match="not a dotted name"):
        EngineSettings(node_packages=prefix)
