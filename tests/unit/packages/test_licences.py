"""All dependencies are listed with their licences."""

from importlib.metadata import PathDistribution

from deploy.packages.licences import licence, table, third_party
from deploy.packages.package import packages


def _all():
    return third_party(text for package in packages() for text in package.requirements)


def test_what_others_require_is_listed_too_and_rooms_are_not():
    found = _all()
    assert {"grpcio", "torch", "sympy", "hiredis"} <= found.keys()
    assert not [name for name in found if name.startswith("cuvis-fleet")]


def test_every_package_tells_a_licence():
    assert not [name for name, installed in _all().items() if not licence(installed)]


def test_the_table_has_a_row_for_each():
    rows = table().splitlines()[2:]
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == list(_all())


def test_a_licence_given_as_text_is_named_by_its_title(tmp_path):
    folder = tmp_path / "thing-1.dist-info"
    folder.mkdir()
    text = "\n        ".join(["The MIT License", "Permission is hereby granted, free of charge"])
    (folder / "METADATA").write_text(f"Name: thing\nVersion: 1\nLicense: {text}\n")
    assert licence(PathDistribution(folder)) == "The MIT License"
