"""Certificates of a test authority."""

from dataclasses import dataclass
from pathlib import Path

import grpc
import trustme


@dataclass(frozen=True)
class Pair:
    """PEM files of a certificate and its key."""

    certificate: Path
    key: Path


class Authority:
    """An authority that issues certificates; `path` has its own certificate."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._ca = trustme.CA()
        self._folder = folder
        self.path = folder / "ca.pem"
        self._ca.cert_pem.write_to_path(str(self.path))

    def server(self, name: str = "server") -> Pair:
        """Return the files of a new certificate for localhost."""
        return self._files(self._ca.issue_cert("localhost", "127.0.0.1"), name)

    def client(self, name: str) -> Pair:
        """Return the files of a new certificate whose subject is ``CN=name``."""
        return self._files(self._ca.issue_cert(f"{name}@lab.example", common_name=name), name)

    def _files(self, issued: trustme.LeafCert, name: str) -> Pair:
        pair = Pair(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        # Moved into place, the key first, so that a watcher of the folder never sees half a pair.
        for path, blobs in (
            (pair.key, [issued.private_key_pem]),
            (pair.certificate, issued.cert_chain_pems),
        ):
            new = path.with_suffix(".new")
            new.write_bytes(b"".join(blob.bytes() for blob in blobs))
            new.replace(path)
        return pair


def credentials(ca: Path, client: Pair | None = None) -> grpc.ChannelCredentials:
    """Return credentials of a client that trusts `ca` and presents the certificate `client`."""
    if client is None:
        return grpc.ssl_channel_credentials(ca.read_bytes())
    return grpc.ssl_channel_credentials(
        ca.read_bytes(), client.key.read_bytes(), client.certificate.read_bytes()
    )
