"""The program ``cuvis-fleet``: outside the library, for what has to be set before its import."""

import os

_VERBOSITY = "GRPC_VERBOSITY"


def main() -> None:
    """Run the command line; ends the process with its exit code."""
    is_set = _VERBOSITY in os.environ
    if not is_set:
        # Imported otherwise, gRPC logs failed handshakes beside the line that tells of them.
        os.environ[_VERBOSITY] = "NONE"
    from cuvis_fleet.cli.entry import main as run

    if not is_set:
        del os.environ[_VERBOSITY]  # a stack that is started logs as it would by itself
    run()
