"""Proto, routes, table of errors and its document agree; the servers are held to it elsewhere.

That each method is answered, and in which words, the tests beside the table ask a whole stack.
"""

from collections import Counter
from pathlib import Path

import pytest

from docs import errors_table
from fleet_gateway import GatewaySettings, render_bootstrap, route_table
from fleet_platform.rpc import STATUS_OF
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb2
from fleet_proto.methods import METHODS_BY_SERVICE, SERVICE_NAME
from tests.e2e.errors.row import RowTestedElsewhere
from tests.e2e.errors.rows.every_method import GENERAL as OF_EVERY_METHOD
from tests.e2e.errors.rows.every_method import STORE_DOWN
from tests.e2e.errors.rows.gateway import ROWS as OF_THE_GATEWAY
from tests.e2e.errors.table import NOTES, TABLE, TESTED_ELSEWHERE

GENERAL = (*OF_EVERY_METHOD, *OF_THE_GATEWAY)
ROOT = Path(__file__).resolve().parents[3]
METHODS = {method.name for method in pb2.DESCRIPTOR.services_by_name["CuvisAIService"].methods}
WITHOUT_ERRORS_OF_ITS_OWN = {
    "ClearPluginCache",
    "CreateSession",
    "GetTrainingCapabilities",
    "ListAvailablePipelinees",
    "ListAvailablePipelines",
}
OF_SESSIONS = {
    method
    for method in METHODS
    if "session_id" in getattr(pb2, f"{method}Request").DESCRIPTOR.fields_by_name
}


def _code(row):
    return row.code if isinstance(row, RowTestedElsewhere) else row.code.name


def _page(name):
    return errors_table.PAGES[name].read_text(encoding="utf-8")


def test_each_method_has_one_service_one_route_and_one_section():
    owned = Counter(method for methods in METHODS_BY_SERVICE.values() for method in methods)
    assert owned == Counter(METHODS)
    for service, methods in METHODS_BY_SERVICE.items():
        lines = _page(service).splitlines()
        sections = [line.removeprefix("## ") for line in lines if line.startswith("## ")]
        assert sections == sorted(methods)
    assert set(route_table()) == {f"/{SERVICE_NAME}/{method}" for method in METHODS}


def test_each_method_has_rows_or_none_to_have():
    assert {row.method for row in TABLE} == METHODS - WITHOUT_ERRORS_OF_ITS_OWN
    assert set(NOTES) <= METHODS


def test_each_method_about_sessions_tells_of_one_that_is_not_there_and_of_the_store():
    unknown = {row.method for row in TABLE if row.name == "unknown or expired session"}
    assert unknown == OF_SESSIONS
    down = {row.method for row in STORE_DOWN}
    assert down == OF_SESSIONS | {"CreateSession"}


def test_no_row_comes_twice():
    seen = Counter((row.method, row.name) for row in (*TABLE, *GENERAL))
    assert [each for each, count in seen.items() if count > 1] == []


def test_no_method_has_a_code_that_only_a_defect_or_a_stranger_has():
    codes = {_code(row) for row in TABLE}
    assert codes <= {code.name for code in STATUS_OF.values()} - {"INTERNAL"}
    assert "UNIMPLEMENTED" not in codes


def test_the_overview_explains_each_code():
    explained = {
        code
        for line in _page("index").partition("## Limits and retries")[0].splitlines()
        if line.startswith("| ")
        for code in line.split("|")[1].strip().split(", ")
    }
    told = {_code(row) for row in (*TABLE, *GENERAL)}
    assert {*told, *(code.name for code in STATUS_OF.values())} <= explained


@pytest.mark.parametrize("name", errors_table.PAGES)
def test_the_pages_are_made_from_the_table(name):
    text = _page(name)
    assert errors_table.replace_tables(name, text) == text, "run: python -m docs.errors_table"


@pytest.mark.parametrize("row", TESTED_ELSEWHERE, ids=lambda row: f"{row.method}: {row.name}")
def test_what_no_request_brings_about_has_a_test_that_does(row):
    path, _, name = row.proof.partition("::")
    assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")


def test_what_the_gateway_says_itself_is_in_the_table(tmp_path):
    services = {f"{name}_endpoints": ("127.0.0.1:5100",) for name in METHODS_BY_SERVICE}
    bootstrap = render_bootstrap(GatewaySettings(**services), tmp_path)
    replies = set(_texts(bootstrap["static_resources"]["listeners"][0]))
    assert len(replies) > 3
    assert replies <= {row.text for row in GENERAL}


def _texts(node):
    """The texts of all local replies below a part of the configuration."""
    if isinstance(node, list):
        for each in node:
            yield from _texts(each)
    elif isinstance(node, dict):
        for mapper in node.get("local_reply_config", {}).get("mappers", ()):
            text = mapper["body_format_override"]["text_format_source"]["inline_string"]
            yield text.replace("%UPSTREAM_CLUSTER%", "<service>")
        for each in node.values():
            yield from _texts(each)
