"""Settings of transport security, authentication and rate limits."""

from typing import Self

from pydantic import Field, FilePath, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class SecuritySettings(BaseSettings):
    """TLS, authentication and rate limits of the public port; all off by default."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_ignore_empty=True, use_attribute_docstrings=True
    )

    grpc_use_tls: bool = False
    """Whether the public port uses TLS; requires a certificate and its key."""

    grpc_tls_cert_path: FilePath | None = None
    """PEM file of the gateway's certificate chain; reloaded when files are moved to its folder."""

    grpc_tls_key_path: FilePath | None = None
    """PEM file of the certificate's private key, in the same folder."""

    grpc_tls_client_ca_path: FilePath | None = None
    """PEM file of the authorities that sign client certificates, reloaded likewise; unset:
    clients need no certificate. The subject of a certificate is the caller's identity."""

    api_keys_path: FilePath | None = None
    """YAML file of callers and their keys; unset: no key is needed. Clients send a key as metadata
    ``x-api-key: KEY`` or ``authorization: Bearer KEY``."""

    jwt_jwks_path: FilePath | None = None
    """JSON file (JWKS) of the public keys that verify the signatures of tokens; unset: no token is
    needed. Clients send a token as ``authorization: Bearer TOKEN``; its ``sub`` is the caller's
    identity."""

    jwt_issuer: str | None = None
    """Value that a token's ``iss`` must have; unset: any."""

    jwt_audience: str | None = None
    """Value that a token's ``aud`` must contain; unset: any."""

    calls_per_s: int | None = Field(default=None, ge=1)
    """Calls per second that a gateway accepts from each caller; unset: no limit. A caller is an
    identity or, without authentication, an address."""

    calls_burst: int | None = Field(default=None, ge=1)
    """Calls that an idle caller may make at once; unset: the value of ``CALLS_PER_S``."""

    health_port: int | None = Field(default=None, ge=1, le=65535)
    """Plaintext port that serves only health checks, for probes without TLS; unset: none, except
    that ``make up`` picks a free port if the public port uses TLS."""

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
