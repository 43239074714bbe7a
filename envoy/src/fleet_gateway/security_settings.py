"""Settings of who gets in, how, and how often."""

from typing import Self

from pydantic import Field, FilePath, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class SecuritySettings(BaseSettings):
    """Transport security, authentication and limits at the public port; all off by default."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_ignore_empty=True, use_attribute_docstrings=True
    )

    grpc_use_tls: bool = False
    """Whether the public port speaks TLS; needs a certificate and its key."""

    grpc_tls_cert_path: FilePath | None = None
    """PEM file of the gateway's certificate chain; read anew when files move into its folder."""

    grpc_tls_key_path: FilePath | None = None
    """PEM file of the certificate's private key, in the same folder."""

    grpc_tls_client_ca_path: FilePath | None = None
    """PEM file of the authorities that clients' certificates must come from, read anew likewise;
    unset: clients need none. A certificate's subject is its caller's identity."""

    api_keys_path: FilePath | None = None
    """YAML file of callers and their keys; unset: no key is needed. A key comes as the metadata
    ``x-api-key: KEY`` or ``authorization: Bearer KEY``."""

    jwt_jwks_path: FilePath | None = None
    """JSON file of the keys that tokens are signed with (JWKS); unset: no token is needed. A token
    comes as ``authorization: Bearer TOKEN``; its ``sub`` is its caller's identity."""

    jwt_issuer: str | None = None
    """What ``iss`` of a token must be; unset: anything."""

    jwt_audience: str | None = None
    """What ``aud`` of a token must hold; unset: anything."""

    calls_per_s: int | None = Field(default=None, ge=1)
    """Calls a second that each caller may make at a gateway; unset: any number. A caller is an
    identity or, without authentication, an address."""

    calls_burst: int | None = Field(default=None, ge=1)
    """Calls that a caller who was silent may make at once; unset: as many as in a second."""

    health_port: int | None = Field(default=None, ge=1, le=65535)
    """Port in clear that answers for health alone, for probes that speak no TLS; unset: none, but
    ``make up`` takes a free one where the public port speaks TLS."""

    @property
    def authenticates(self) -> bool:
        """Whether every call has an identity."""
        means = (self.grpc_tls_client_ca_path, self.api_keys_path, self.jwt_jwks_path)
        return any(path is not None for path in means)

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        tls_files = (self.grpc_tls_cert_path, self.grpc_tls_key_path)
        if self.grpc_use_tls and None in tls_files:
            raise ValueError("GRPC_USE_TLS needs GRPC_TLS_CERT_PATH and GRPC_TLS_KEY_PATH")
        if self.grpc_tls_client_ca_path is not None and not self.grpc_use_tls:
            raise ValueError("GRPC_TLS_CLIENT_CA_PATH needs GRPC_USE_TLS=true")
        if self.api_keys_path is not None and self.jwt_jwks_path is not None:
            raise ValueError("API_KEYS_PATH and JWT_JWKS_PATH: choose one of them")
        if self.calls_burst is not None and self.calls_per_s is None:
            raise ValueError("CALLS_BURST needs CALLS_PER_S")
        return self
