import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from fleet_platform.settings import GIB, ServiceSettings


def test_defaults_are_safe_for_one_machine():
    settings = ServiceSettings()
    assert settings.service_host == "127.0.0.1"
    assert settings.grpc_max_msg_size == GIB
    assert settings.otel_exporter_otlp_endpoint is None


def test_each_field_is_read_from_its_upper_case_name(monkeypatch):
    monkeypatch.setenv("SERVICE_PORT", "5051")
    monkeypatch.setenv("LOG_LEVEL", "debug")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
    settings = ServiceSettings()
    assert (settings.service_port, settings.log_level) == (5051, "DEBUG")
    assert settings.otel_exporter_otlp_endpoint is None


@pytest.mark.parametrize("separator", [",", os.pathsep])
def test_read_roots_are_separated_by_comma_or_path_separator(monkeypatch, separator):
    monkeypatch.setenv("READ_ROOTS", separator.join(["/scans", "/more scans"]))
    assert ServiceSettings().read_roots == (Path("/scans"), Path("/more scans"))


def test_an_unknown_setting_is_rejected():
    with pytest.raises(ValidationError, match="servce_port"):
        ServiceSettings(servce_port=1)


def test_settings_cannot_be_changed_afterwards():
    settings = ServiceSettings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.service_port = 1


@pytest.mark.parametrize(
    ("url", "printed"),
    [
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("redis://:hunter2@db:6379/0", "redis://:***@db:6379/0"),
        ("rediss://fleet:hunter2@db:6379/0?db=1", "rediss://fleet:***@db:6379/0?db=1"),
        ("redis://fleet@db/0", "redis://fleet@db/0"),
        ("redis://db/0?password=hunter2", "redis://db/0?password=***"),
    ],
)
def test_a_password_is_never_printed(url, printed):
    assert ServiceSettings(redis_url=url).printable()["redis_url"] == printed


def test_secret_fields_of_a_subclass_are_masked():
    class WithToken(ServiceSettings):
        plugin_token: str = ""

    assert WithToken(plugin_token="hunter2").printable()["plugin_token"] == "***"


def test_every_field_has_a_description():
    for name, field in ServiceSettings.model_fields.items():
        assert field.description, f"{name} has no docstring"
