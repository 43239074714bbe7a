import pytest
from pydantic import ValidationError

from fleet_platform.engine_settings import EngineSettings


def test_node_packages_are_parted_by_comma(monkeypatch):
    monkeypatch.setenv("NODE_PACKAGES", "lab.nodes, cuvis_ai,")
    assert EngineSettings().node_packages == ("lab.nodes", "cuvis_ai")


def test_they_survive_the_way_to_a_child_process():
    settings = EngineSettings(node_packages=("lab.nodes",))
    assert EngineSettings.model_validate_json(settings.model_dump_json()) == settings


@pytest.mark.parametrize("prefix", ["lab-nodes", "lab..nodes", "*", ".lab", "lab.*"])
def test_what_is_no_dotted_name_is_refused(prefix):
    with pytest.raises(ValidationError, match="no dotted name"):
        EngineSettings(node_packages=prefix)
