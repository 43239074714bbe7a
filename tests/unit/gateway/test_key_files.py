"""Valid files of keys, and the errors of invalid ones."""

import pytest

from fleet_gateway import UnusableFile, read_api_keys
from fleet_gateway.key_files import read_jwks

KEY = "0123456789abcdef"


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "keys"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_a_caller_has_one_key_or_several(file):
    content = f"""
        microscope 2: {KEY}-m
        alice: ["{KEY}-new", "{KEY}-old"]
    """
    assert read_api_keys(file(content)) == {
        f"{KEY}-m": "microscope 2",
        f"{KEY}-new": "alice",
        f"{KEY}-old": "alice",
    }


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("", "must map"),
        (f"- {KEY}", "must map"),
        ("alice: [", "not valid YAML"),
        (b"\xff\xfe", "as text"),
        ("alice: []", "no key"),
        ("alice: short", "16 to 512"),
        ("alice: 12345678901234567890", "quote it"),
        (f"alice: '{KEY} with spaces'", "visible"),
        (f"alice: {'x' * 513}", "16 to 512"),
        (f"'': {KEY}", "name"),
        (f"'alice ': {KEY}", "name"),
        (f"zoë: {KEY}", "name"),
        (f"{'a' * 129}: {KEY}", "name"),
        (f"1: {KEY}", "name"),
        (f"alice: {KEY}\nbob: {KEY}", "'alice' and 'bob' have the same key"),
    ],
)
def test_an_invalid_file_of_keys_is_reported_without_its_keys(file, content, word):
    path = file(content)
    with pytest.raises(UnusableFile, match=word) as caught:
        read_api_keys(path)
    assert str(path) in str(caught.value)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("content", ["", "no json", "[]", "{}", '{"keys": []}'])
def test_an_invalid_jwks_is_reported(file, content):
    path = file(content)
    with pytest.raises(UnusableFile, match="JSON"):
        read_jwks(path)


def test_a_jwks_is_taken_as_it_is(file):
    text = '{"keys": [{"kty": "EC"}]}'
    assert read_jwks(file(text)) == text
