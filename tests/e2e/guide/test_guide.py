"""Every Python snippet of the published guide against our stack, with the published client library.

The library is that of the guide's release: cuvis-ai 0.4.0 with core 0.2.0 and schemas 0.2.0. The
tables list the prerequisites and the expected results of each snippet. If a snippet contains
``...`` or a name that no release has, they also list the code that replaces it.
"""

import re
import shutil
from pathlib import Path

import pytest

from tests.e2e.guide import preludes
from tests.e2e.guide.best_practices import BEST_PRACTICES
from tests.e2e.guide.client_usage import CLIENT_USAGE
from tests.e2e.guide.complete_examples import COMPLETE_EXAMPLES
from tests.e2e.guide.published_client import Outcome, published_client
from tests.e2e.guide.snippet import FOLDER
from tests.support.certificates import Authority

pytestmark = [pytest.mark.e2e, pytest.mark.published]

TABLE = [*CLIENT_USAGE, *COMPLETE_EXAMPLES, *BEST_PRACTICES]
THROUGH_TLS = [each for each in TABLE if each.name == "35_use_tls"]
RUN = [each for each in TABLE if not each.why_not and each not in THROUGH_TLS]
TRAINRUNS = Path(__file__).with_name("trainrun")


def test_the_table_has_every_snippet():
    assert {each.name for each in TABLE} == {file.stem for file in FOLDER.glob("*.py")}
    assert len(list(FOLDER.iterdir())) == 39


@pytest.fixture(scope="module")
def client(stack, output_dir, data_dir, tmp_path_factory):
    """The published library, in a folder with the data and the files that the guide assumes."""
    folder = tmp_path_factory.mktemp("guide")
    (folder / "data").symlink_to(data_dir)
    shutil.copytree(TRAINRUNS, output_dir / TRAINRUNS.name)
    with published_client(stack.address, folder) as running:
        made = running.run([("my experiment", preludes.MY_EXPERIMENT)])
        assert made.failure is None, made.failure.trace
        yield running


@pytest.mark.parametrize("snippet", RUN, ids=str)
def test_snippet(snippet, client):
    assert_holds(snippet, client.run(snippet.code(), tuple(snippet.holds)))


@pytest.mark.parametrize("snippet", THROUGH_TLS, ids=str)
def test_snippet_through_tls(snippet, start_stack, tmp_path):
    authority = Authority(tmp_path / "authority")
    server = authority.server()
    settings = {
        "GRPC_USE_TLS": "true",
        "GRPC_TLS_CERT_PATH": str(server.certificate),
        "GRPC_TLS_KEY_PATH": str(server.key),
    }
    with (
        start_stack(**settings) as stack,
        published_client(stack.address, tmp_path, authority.path) as client,
    ):
        assert_holds(snippet, client.run(snippet.code(), tuple(snippet.holds)))


def assert_holds(snippet, outcome: Outcome):
    failure = outcome.failure
    if snippet.refused is None:
        assert failure is None, failure.trace
    else:
        code, text = snippet.refused
        assert failure is not None, outcome.printed
        assert failure.code == code, failure.trace
        assert re.search(text, failure.text), failure.text
    if failure is None:
        assert outcome.shown == snippet.holds
    end = 0
    for pattern in snippet.prints:
        found = re.compile(pattern, re.MULTILINE).search(outcome.printed, end)
        assert found is not None, (pattern, outcome.printed)
        end = found.end()
