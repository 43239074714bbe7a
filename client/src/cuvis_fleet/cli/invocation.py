"""What the options before a command say."""

from dataclasses import dataclass
from pathlib import Path

import typer

from cuvis_fleet.cli.report import Report
from cuvis_fleet.client import Client, connect
from cuvis_fleet.transport.local_address import is_local
from cuvis_fleet.transport.retry_policy import RetryPolicy


@dataclass(frozen=True)
class Invocation:
    """One call of the command line.

    Attributes:
        address: ``host:port`` of the server.
        tls: whether to speak TLS.
        ca: file of the authorities of the server's certificate; None: gRPC's own list.
        certificate: files of the client's certificate and its key; None: it has none.
        api_key: that says who calls; None: nothing does.
        timeout_s: for each call; None: any time.
        debug: whether errors come with their traceback.
        report: says things.
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
        """Of the server."""
        return self.address.rpartition(":")[0]

    @property
    def port(self) -> int:
        """Of the server."""
        return int(self.address.rpartition(":")[2])

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine."""
        return is_local(self.address)

    def connect(self, *, timeout_s: float | None = None, once: bool = False) -> Client:
        """Prepare a connection to the server.

        Args:
            timeout_s: for each call, where the caller of the command said nothing.
            once: whether no call is repeated.
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
    """The invocation that a command belongs to."""
    found = context.find_object(Invocation)
    if found is None:
        raise LookupError("the options before the command were not read")
    return found
