"""A resolver over the shipped configs and a folder that tests fill."""

from pathlib import Path

import pytest

from fleet_config.lookup import ConfigLookup
from fleet_config.resolution import ConfigResolver
from fleet_platform.errors import AppError
from fleet_platform.files import PathPolicy
from tests.support.network.waiting_call import WaitingCall

SHIPPED = Path(__file__).parents[3] / "configs"


@pytest.fixture
def folder(tmp_path):
    """The session's own search path."""
    made = tmp_path / "lab"
    made.mkdir()
    return made


@pytest.fixture
def write(folder):
    """``write("data/x.yaml", text)`` puts a file into the session's search path."""

    def put(name, text):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return put


@pytest.fixture
def resolve(tmp_path, folder):
    """``resolve(kind, path, *overrides)`` -> the config."""
    policy = PathPolicy(
        working_dir=tmp_path,
        configs_dir=SHIPPED,
        data_dir=tmp_path / "data",
        output_dir=tmp_path / "outputs",
        more_roots=(folder,),
    )
    resolver = ConfigResolver(ConfigLookup(policy, SHIPPED))

    def run(kind, path, *overrides, search_paths=None, call=None):
        paths = [str(each) for each in ([folder] if search_paths is None else search_paths)]
        return resolver.resolve(kind, path, paths, list(overrides), call or WaitingCall())

    return run


@pytest.fixture
def refusal(resolve):
    """``refusal(error, kind, path, *overrides)`` -> the text of the refusal."""

    def run(error: type[AppError], *call, **options):
        with pytest.raises(error) as caught:
            resolve(*call, **options)
        return caught.value.text

    return run
