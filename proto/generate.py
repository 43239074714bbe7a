"""Generates the Python modules of the wire contract from the proto files beside this script.

``python proto/generate.py`` writes them below ``proto/src/fleet_proto``; with ``--check`` it writes
them to a temporary folder instead and fails if the committed ones differ. The output depends only
on the installed ``grpcio-tools`` and ``mypy-protobuf``.

The proto root is mapped to the virtual folder ``fleet_proto``, so that the generated imports are
those of the installed package. Afterwards each messages module is changed to use its own descriptor
pool. The default pool accepts one file per full message name, so that a process that also loads a
published ``cuvis_ai.v1`` package (same names, different file) would fail on import.
"""

import argparse
import difflib
import os
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

PROTO_ROOT = Path(__file__).resolve().parent
PACKAGE_PARENT = PROTO_ROOT / "src"
PACKAGE = "fleet_proto"

SOURCES_WITH_SERVICES = ("cuvis_ai/v1/cuvis_ai.proto",)
SOURCES_WITHOUT_SERVICES = ("records/v1/records.proto",)
"""Paths below ``fleet_proto``; ``records`` is in ``fleet/records`` below the proto root."""

DOCSTRINGS = {
    "cuvis_ai": "The public wire, package ``cuvis_ai``.",
    "cuvis_ai/v1": "Generated messages and stubs of ``cuvis_ai.v1``.",
    "records": "Records in the session store, package ``fleet.records``.",
    "records/v1": "Generated messages of ``fleet.records.v1``.",
}

DEFAULT_POOL = "_descriptor_pool.Default()"
PRIVATE_POOL = "_descriptor_pool.DescriptorPool()"


def _include_arguments() -> list[str]:
    """Return the mapping of virtual import folders to folders below the proto root."""
    return [
        f"-I{PACKAGE}/cuvis_ai={PROTO_ROOT / 'cuvis_ai'}",
        f"-I{PACKAGE}/records={PROTO_ROOT / 'fleet' / 'records'}",
    ]


def _run_protoc(out: Path) -> None:
    """Write messages, stubs and their types below ``out``.

    Raises:
        SystemExit: protoc rejected the sources.
    """
    with_services = [f"{PACKAGE}/{source}" for source in SOURCES_WITH_SERVICES]
    without_services = [f"{PACKAGE}/{source}" for source in SOURCES_WITHOUT_SERVICES]
    protoc = [sys.executable, "-m", "grpc_tools.protoc", *_include_arguments()]
    messages = [f"--python_out={out}", f"--mypy_out=quiet:{out}"]
    services = [
        f"--grpc_python_out={out}",
        # Concrete: a service that implements some of the methods may subclass the servicer.
        f"--mypy_grpc_out=quiet,generate_concrete_servicer_stubs:{out}",
    ]
    # The type generators are console scripts beside the running interpreter.
    scripts = str(Path(sys.executable).parent)
    path = os.pathsep.join([scripts, os.environ.get("PATH", os.defpath)])
    for arguments in ([*messages, *services, *with_services], [*messages, *without_services]):
        done = subprocess.run(
            [*protoc, *arguments],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, "PATH": path},
        )
        if done.returncode:
            raise SystemExit(f"protoc failed:\n{done.stderr}")


def _isolate_pool(module: Path) -> None:
    """Make a generated messages module use its own descriptor pool.

    Raises:
        SystemExit: the generated code does not have the expected form.
    """
    text = module.read_text(encoding="utf-8")
    if text.count(DEFAULT_POOL) != 1:
        raise SystemExit(f"{module}: expected {DEFAULT_POOL} exactly once")
    module.write_text(text.replace(DEFAULT_POOL, PRIVATE_POOL), encoding="utf-8")


def generate(out: Path) -> None:
    """Write the generated part of the package below ``out``.

    Args:
        out: Folder that will contain the ``fleet_proto`` package; it need not exist yet.

    Raises:
        SystemExit: generation failed, with the reason.
    """
    out.mkdir(parents=True, exist_ok=True)
    _run_protoc(out)
    for module in sorted((out / PACKAGE).rglob("*_pb2.py")):
        _isolate_pool(module)
    for folder, docstring in DOCSTRINGS.items():
        init = out / PACKAGE / folder / "__init__.py"
        init.write_text(f'"""{docstring}"""\n', encoding="utf-8")


def differences() -> list[str]:
    """Compare the committed modules with newly generated ones.

    Returns:
        One unified diff per file that differs; empty if all are current.
    """
    with tempfile.TemporaryDirectory() as folder:
        fresh_root = Path(folder)
        generate(fresh_root)
        fresh = _texts(fresh_root)
        committed = _texts(PACKAGE_PARENT)
    found = []
    for name in sorted(fresh.keys() | committed.keys()):
        if fresh.get(name) != committed.get(name):
            diff = difflib.unified_diff(
                committed.get(name, "").splitlines(),
                fresh.get(name, "").splitlines(),
                f"committed/{name}",
                f"generated/{name}",
                lineterm="",
                n=1,
            )
            # A single line of a generated module contains the whole descriptor.
            found.append("\n".join(line[:200] for line in diff))
    return found


def _texts(root: Path) -> dict[str, str]:
    """Return the texts of the generated files below ``root``, by path relative to it."""
    return {
        file.relative_to(root).as_posix(): file.read_text(encoding="utf-8")
        for folder in DOCSTRINGS
        for file in sorted((root / PACKAGE / folder).glob("*.py*"))
        if file.is_file()
    }


def main() -> int:
    """Run the command; return 1 if ``--check`` found a difference, otherwise 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="compare only; write nothing")
    if not parser.parse_args().check:
        generate(PACKAGE_PARENT)
        return 0
    found = differences()
    if found:
        tools = ", ".join(f"{t} {metadata.version(t)}" for t in ("grpcio-tools", "mypy-protobuf"))
        print("\n".join(found))
        print(
            f"{len(found)} generated file(s) differ from the output of {tools}.\n"
            "Run: python proto/generate.py",
            file=sys.stderr,
        )
        return 1
    print("generated modules are current")
    return 0


if __name__ == "__main__":
    sys.exit(main())
