"""Untrusted YAML is read with limits and without code execution."""

import pytest

from fleet_platform.errors import InvalidInput
from fleet_schemas import parse_yaml

DEPTH = "it is nested deeper than 64 levels"


def refusal(raw: bytes) -> str:
    with pytest.raises(InvalidInput) as caught:
        parse_yaml(raw, "x")
    return caught.value.text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"[" * 100_000, f"x is not YAML: {DEPTH} at line 1, column 65."),
        (b"- " * 100_000, f"x is not YAML: {DEPTH} at line 1, column 129."),
        (b"? " * 100_000, f"x is not YAML: {DEPTH} at line 1, column 129."),
        (
            b"\n".join(b" " * depth + b"a:" for depth in range(1000)),
            f"x is not YAML: {DEPTH} at line 65, column 65.",
        ),
        (b"a: &a [*a]", "x is not YAML: it contains itself or more than 100000 values"),
        (b"a: &a {<<: *a}", "x is not YAML: it contains itself or more than 100000 values"),
        (b"a: !!python/name:os.system x", "x is not YAML: could not determine a constructor"),
        (b"a: !!int ''", "x is not YAML: '' is not a valid int at line 1, column 4."),
        (b"a: !!float ''", "x is not YAML: '' is not a valid float at line 1, column 4."),
        (b"a: !!bool maybe", "x is not YAML: 'maybe' is not a valid bool at line 1, column 4."),
        (b"a: !!timestamp x", "x is not YAML: 'x' is not a valid timestamp at line 1, column 4."),
        (b"a: 0x_", "x is not YAML: '0x_' is not a valid int at line 1, column 4."),
        (
            b"a: " + b"9" * 5000,
            f"x is not YAML: '{'9' * 80}...' is not a valid int at line 1, column 4.",
        ),
        (b"a: !!set {b}", "x.a: a set is not a JSON value."),
        (b"a: .inf", "x.a: inf is not a finite number."),
        (b"a: 1\na: 2", "x is not YAML: the key 'a' is a duplicate at line 2, column 1."),
        (b"? [a]\n: 1", "x is not YAML: found unhashable key at line 1, column 3."),
        (b"a: 1\n---\nb: 2", "x is not YAML: but found another document at line 2, column 1."),
    ],
)
def test_harmful_content_is_refused_with_its_place(raw: bytes, text: str) -> None:
    assert refusal(raw).startswith(text)


def test_the_nesting_limit_is_that_of_json() -> None:
    assert parse_yaml(b"{a: " * 64 + b"1" + b"}" * 64, "x")
