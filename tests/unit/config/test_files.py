"""The allowed content of config files."""

import pytest

from fleet_config.yaml_file import parse_yaml
from fleet_platform.errors import InvalidInput

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 10)}]\n"
    for before, name in zip("abcdefg", "bcdefgh", strict=True)
)
MERGES = "a: &a {x: 1}\n" + "".join(
    f"{name}: &{name} {{<<: [{', '.join(['*' + before] * 10)}]}}\n"
    for before, name in zip("abcdefg", "bcdefgh", strict=True)
)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (b"a: \xff", "is not UTF-8 at byte 3"),
        (b"a: [1", "is not YAML"),
        (b"a: 1\na: 2", "the key 'a' is a duplicate at line 2, column 1"),
        (b"- 1", "must be a mapping"),
        (b"1: x", "the key 1 must be a string"),
        (b"a: !!python/object/apply:os.system [ls]", "is not YAML"),
        (b"a: !!binary aGk=", "a bytes is not a JSON value"),
        (b"a: .inf", "inf is not a finite number"),
        (b"a: " + b"[" * 500 + b"]" * 500, "nested"),
        (LAUGHS.encode(), "more than 100000 values"),
        (MERGES.encode(), "more than 100000 values"),
        (b"a: &a [*a]", "it contains itself"),
        (b"a: ${oc.env:HOME}", "Only references to other keys"),
        (b"a: x${oc.env:HOME}y", "Only references to other keys"),
        (b"a: {_target_: os.system}", "the key '_target_' is refused"),
        (b"defaults:\n  - data: ${oc.env:HOME}\n", "Only references to other keys"),
    ],
)
def test_a_file_of_more_than_plain_values_is_refused(text, names):
    with pytest.raises(InvalidInput) as caught:
        parse_yaml(text, "data/x")

    assert names in caught.value.text
    assert "config 'data/x'" in caught.value.text


def test_values_are_typed_as_omegaconf_types_them():
    content = parse_yaml(b"a: 1e-6\nb: 1.0e-06\nc: 2024-01-01\nd: yes\ne: 012\n", "x").content

    assert content == {"a": 1e-6, "b": 1e-6, "c": "2024-01-01", "d": True, "e": 10}


def test_anchors_are_followed():
    assert parse_yaml(b"a: &x [1]\nb: *x\n", "x").content == {"a": [1], "b": [1]}


def test_the_package_header_is_read():
    assert parse_yaml(b"# @package _global_\n# more\nname: x\n", "x").package == "_global_"
    assert parse_yaml(b"name: x\n# @package _global_\n", "x").package is None


def test_an_empty_file_has_no_values():
    assert parse_yaml(b"# nothing\n", "x").content == {}


def test_a_large_file_is_not_read(refusal, write):
    write("data/x.yaml", "a: 1\n" + "#" * 1024 * 1024)

    assert "the limit is 1048576" in refusal(InvalidInput, "data", "data/x")


def test_defaults_of_a_file_are_composed_in_order(resolve, write):
    write("data/base.yaml", "cu3s_file_path: base\nbatch_size: 3\nval_ids: [1]\n")
    write("data/mine.yaml", "defaults: [base, _self_]\ncu3s_file_path: mine\nval_ids: [2]\n")

    config = resolve("data", "data/mine")

    assert (config["cu3s_file_path"], config["batch_size"], config["val_ids"]) == ("mine", 3, [2])


@pytest.mark.parametrize(
    ("defaults", "names"),
    [
        ("[nothere]", "data/nothere"),
        ("[{/data: nothere}]", "Could not find 'data/nothere'"),
        ("[../../etc/hosts]", "../../etc/hosts"),
        ("[x]", "data/x"),
        ("[{a: b, c: d}]", "Too many keys"),
        ("{a: b}", "defaults must be a list"),
        ("[3]", "data/x"),
        ("[{/data: 3}]", "Supported: string or list"),
        ("[{/data: '???'}]", "You must specify"),
    ],
)
def test_a_wrong_defaults_list_is_named(refusal, write, folder, defaults, names):
    write("data/x.yaml", f"defaults: {defaults}\ncu3s_file_path: a\n")

    text = refusal(InvalidInput, "data", "data/x")

    assert names in text
    assert str(folder) not in text


def test_defaults_do_not_follow_a_link_out_of_the_roots(refusal, write, folder, tmp_path):
    (tmp_path / "secret.yaml").write_text("batch_size: 5")
    (folder / "data").mkdir()
    (folder / "data/link.yaml").symlink_to(tmp_path / "secret.yaml")
    write("data/x.yaml", "defaults: [link]\ncu3s_file_path: a\n")

    assert "data/link" in refusal(InvalidInput, "data", "data/x")


def test_hydra_settings_in_a_file_have_no_effect(resolve, write):
    write("data/x.yaml", "cu3s_file_path: a\nhydra: {searchpath: [/etc], dir: '${now:%Y}'}\n")

    assert resolve("data", "data/x")["cu3s_file_path"] == "a"


def test_references_reach_into_the_whole_config(resolve, write):
    write(
        "trainrun/x.yaml",
        "# @package _global_\nname: n${data.batch_size}\noutput_dir: out/${name}/${.tags.a}\n"
        "tags: {a: b}\ndata: {cu3s_file_path: '${tags.a}', batch_size: 2, val_ids: '${.train_ids}',"
        " train_ids: [1, 2]}\n",
    )

    config = resolve("trainrun", "trainrun/x")

    assert config["name"] == "n2"
    assert config["output_dir"] == "out/n2/b"
    assert config["data"]["cu3s_file_path"] == "b"
    assert config["data"]["val_ids"] == [1, 2]


def test_references_that_double_forever_are_refused(refusal, write):
    lines = "".join(f"k{i}: '${{k{i + 1}}}${{k{i + 1}}}'\n" for i in range(40))
    write("data/x.yaml", f"# @package _global_\ncu3s_file_path: ${{k0}}\n{lines}k40: x\n")

    assert "too many values" in refusal(InvalidInput, "data", "data/x")


def test_a_missing_value_has_to_be_set_by_an_override(resolve, refusal, write):
    write("data/x.yaml", "cu3s_file_path: ???\n")

    assert "has no value; set it with an override" in refusal(InvalidInput, "data", "data/x")
    assert resolve("data", "data/x", "data.cu3s_file_path=a")["cu3s_file_path"] == "a"
