"""The values of the global options."""

from dataclasses import dataclass
from pathlib import Path

import typer

from cuvis_fleet.cli.report import Report
from cuvis_fleet.client import Client, connect
from cuvis_fleet.transport.local_address import is_local
from cuvis_fleet.transport.retry_policy import RetryPolicy


@dataclass(frozen=True)
class Invocation:
    """One run of the command line.

    Attributes:
        address: ``host:port`` of the server.
        tls: whether to use TLS.
        ca: file of the certificate authorities to trust; None: gRPC's defaults.
        certificate: files of the client certificate and its key; None: no client certificate.
        api_key: key or token that identifies the caller; None: anonymous.
        timeout_s: time limit for each call; None: no limit.
        debug: whether to print the tracebacks of errors.
        report: writes the output.
    """

    address: str
    tls: bool
    ca: Path | None
    certificate: tuple[Path, Path] | None
    api_key: str | None
    timeout_s: float | None
    debug: bool
    report: Report

    @property
    def host(self) -> str:
        """The server's host."""
        return self.address.rpartition(":")[0]

    @property
    def port(self) -> int:
        """The server's port."""
        return int(self.address.rpartition(":")[2])

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine."""
        return is_local(self.address)

    def connect(self, *, timeout_s: float | None = None, once: bool = False) -> Client:
        """Create a client of the server.

        Args:
            timeout_s: time limit for each call unless the user gave one.
            once: whether calls are made once, without retries.
        """
        return connect(
            self.address,
            tls=self.ca or self.tls,
            certificate=self.certificate,
            key=self.api_key,
            timeout_s=self.timeout_s or timeout_s,
            retries=None if once else RetryPolicy(),
        )


def current_invocation(context: typer.Context) -> Invocation:
    """Return the invocation that a command belongs to."""
    found = context.find_object(Invocation)
    if found is None:
        raise LookupError("the options before the command were not read")
    return found
