"""The generated modules are current, the proto files clean, and old clients compatible."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

DEADLINE_S = 600


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=DEADLINE_S)


def copied(proto_root: Path, folder: Path) -> Path:
    """Copy the whole proto package, so that a test may damage it."""
    return Path(shutil.copytree(proto_root, folder / "proto"))


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_generated_modules_are_current(proto_root: Path) -> None:
    done = run(sys.executable, str(proto_root / "generate.py"), "--check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_check_notices_a_stale_module(proto_root: Path, tmp_path: Path) -> None:
    copy = copied(proto_root, tmp_path)
    change(copy / "cuvis_ai/v1/cuvis_ai.proto", "string plugin_name = 1;", "string plugin = 1;")
    done = run(sys.executable, str(copy / "generate.py"), "--check")
    assert done.returncode == 1
    assert "Run: python proto/generate.py" in done.stderr


@pytest.mark.parametrize("command", [["lint"], ["format", "--diff", "--exit-code"]])
def test_buf_finds_no_problems_in_the_sources(
    buf: str, proto_root: Path, command: list[str]
) -> None:
    done = run(buf, *command, str(proto_root))
    assert done.returncode == 0, done.stdout + done.stderr


def test_wire_is_compatible_with_the_baseline(buf: str, proto_root: Path) -> None:
    baseline = str(proto_root / "baseline.binpb")
    done = run(buf, "breaking", str(proto_root), "--against", baseline)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("cuvis_ai/v1/cuvis_ai.proto", "bytes raw_data = 3;", "bytes raw_data = 5;"),
        ("fleet/records/v1/records.proto", "string run_id = 12;", "bytes run_id = 12;"),
    ],
)
def test_baseline_notices_a_breaking_change(
    buf: str, proto_root: Path, tmp_path: Path, file: str, old: str, new: str
) -> None:
    copy = copied(proto_root, tmp_path)
    change(copy / file, old, new)
    done = run(buf, "breaking", str(copy), "--against", str(copy / "baseline.binpb"))
    assert done.returncode == 100, done.stdout + done.stderr


@pytest.mark.parametrize("source", ["cuvis_ai/v1/cuvis_ai.proto", "fleet/records/v1/records.proto"])
def test_every_definition_has_a_comment(proto_root: Path, tmp_path: Path, source: str) -> None:
    assert undocumented(proto_root, source, tmp_path / "set.binpb") == []


def test_a_missing_comment_is_noticed(proto_root: Path, tmp_path: Path) -> None:
    copy = copied(proto_root, tmp_path)
    source = "fleet/records/v1/records.proto"
    change(copy / source, "  // Its manifest.\n", "")
    assert undocumented(copy, source, tmp_path / "set.binpb") == ["Plugin.manifest_json"]


def undocumented(proto_root: Path, source: str, out: Path) -> list[str]:
    """List services, methods, messages, fields, enums and values without a leading comment."""
    command = ["grpc_tools.protoc", f"-I{proto_root}", f"-o{out}", "--include_source_info", source]
    done = run(sys.executable, "-m", *command)
    assert done.returncode == 0, done.stderr
    (file,) = FileDescriptorSet.FromString(out.read_bytes()).file
    commented = {
        tuple(place.path)
        for place in file.source_code_info.location
        if place.leading_comments.strip()
    }
    # Paths follow the numbers of FileDescriptorProto's fields: 4 messages, 5 enums, 6 services.
    expected: dict[tuple[int, ...], str] = {}
    groups: tuple[tuple[int, Sequence[Any], int, str], ...] = (
        (4, file.message_type, 2, "field"),
        (4, file.message_type, 8, "oneof_decl"),
        (5, file.enum_type, 2, "value"),
        (6, file.service, 2, "method"),
    )
    for kind, owners, member_number, members in groups:
        for index, owner in enumerate(owners):
            expected[(kind, index)] = owner.name
            for number, member in enumerate(getattr(owner, members)):
                if not member.name.startswith("_"):  # the hidden oneof of an optional field
                    path = (kind, index, member_number, number)
                    expected[path] = f"{owner.name}.{member.name}"
    assert not any(entry.enum_type for entry in file.message_type)
    return [name for path, name in expected.items() if path not in commented]
