"""The program ``cuvis-fleet``, outside the library to set variables before its import."""

import os

_VERBOSITY = "GRPC_VERBOSITY"


def main() -> None:
    """Run the command line and exit with its exit code."""
    is_set = _VERBOSITY in os.environ
    if not is_set:
        # By default gRPC logs failed handshakes in addition to the command's error line.
        os.environ[_VERBOSITY] = "NONE"
    from cuvis_fleet.cli.entry import main as run

    if not is_set:
        del os.environ[_VERBOSITY]  # a stack that is started logs as usual
    run()
