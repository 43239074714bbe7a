"""TLS for the public port, with files that are reloaded when they change."""

import ssl
from pathlib import Path
from typing import Any

from fleet_gateway.security_settings import SecuritySettings
from fleet_gateway.unusable_file import UnusableFile

Json = dict[str, Any]

_SERVER = "server_certificate"
_CLIENT_CA = "client_ca"
_TRANSPORT = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3"


def transport_socket(settings: SecuritySettings, folder: Path) -> Json | None:
    """Return the listener's TLS transport socket; None means plaintext."""
    if not settings.grpc_use_tls:
        return None
    common: Json = {
        "alpn_protocols": ["h2"],
        "tls_certificate_sds_secret_configs": [_source(_SERVER, folder)],
    }
    context: Json = {"@type": f"{_TRANSPORT}.DownstreamTlsContext", "common_tls_context": common}
    if settings.grpc_tls_client_ca_path is not None:
        context["require_client_certificate"] = True
        common["validation_context_sds_secret_config"] = _source(_CLIENT_CA, folder)
    return {"name": "envoy.transport_sockets.tls", "typed_config": context}


def tls_files(settings: SecuritySettings) -> dict[str, Json]:
    """Return the files that name the certificates, by file name.

    Raises:
        UnusableFile: the certificate or the key is invalid, or they do not match.
    """
    certificate, key = settings.grpc_tls_cert_path, settings.grpc_tls_key_path
    if not settings.grpc_use_tls or certificate is None or key is None:
        return {}
    _require_pair(certificate, key)
    files = {
        f"{_SERVER}.json": _resource(
            _SERVER,
            "tls_certificate",
            {
                "certificate_chain": _file(certificate),
                "private_key": _file(key),
                "watched_directory": _folder_of(certificate),
            },
        )
    }
    authorities = settings.grpc_tls_client_ca_path
    if authorities is not None:
        _require_authorities(authorities)
        files[f"{_CLIENT_CA}.json"] = _resource(
            _CLIENT_CA,
            "validation_context",
            {"trusted_ca": _file(authorities), "watched_directory": _folder_of(authorities)},
        )
    return files


def _source(name: str, folder: Path) -> Json:
    path = {"path": str(folder / f"{name}.json")}
    return {
        "name": name,
        "sds_config": {"path_config_source": path, "resource_api_version": "V3"},
    }


def _resource(name: str, kind: str, content: Json) -> Json:
    return {"resources": [{"@type": f"{_TRANSPORT}.Secret", "name": name, kind: content}]}


def _require_pair(certificate: Path, key: Path) -> None:
    try:
        # Without a password an encrypted key would prompt at the terminal instead of failing.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
    except OSError as error:  # base class of the errors of `ssl`
        raise UnusableFile(
            f"{certificate} and {key} are not a PEM certificate and its unencrypted key ({error})."
        ) from error


def _require_authorities(path: Path) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except OSError as error:
        raise UnusableFile(f"{path} does not contain PEM certificates ({error}).") from error


def _file(path: Path) -> Json:
    return {"filename": str(path.absolute())}


def _folder_of(path: Path) -> Json:
    return {"path": str(path.absolute().parent)}
