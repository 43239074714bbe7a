"""Authentication filters, and the headers that name the caller to the services."""

from pathlib import Path
from typing import Any

from fleet_gateway.key_files import read_api_keys, read_jwks
from fleet_gateway.security_settings import SecuritySettings
from fleet_proto.headers import CALLER_ADDRESS, CALLER_IDENTITY

Json = dict[str, Any]

_FILTERS = "type.googleapis.com/envoy.extensions.filters.http"
_API_KEYS = "envoy.filters.http.api_key_auth"
_JWT = "envoy.filters.http.jwt_authn"
_GUARD = "envoy.filters.http.rbac"
_API_KEYS_TYPE = f"{_FILTERS}.api_key_auth.v3.ApiKeyAuth"
_JWT_TYPE = f"{_FILTERS}.jwt_authn.v3.JwtAuthentication"
# Printable characters only: services can read them, and no two names look the same.
_PRINTABLE = r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?"


def header_mutations(settings: SecuritySettings) -> list[Json]:
    """Return the changes to a request's headers that are made before all filters."""
    mutations = [
        {"remove": CALLER_IDENTITY},
        _set(CALLER_ADDRESS, "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%"),
    ]
    if settings.grpc_tls_client_ca_path is not None:
        mutations.append(_set(CALLER_IDENTITY, "%DOWNSTREAM_PEER_SUBJECT%"))
    name = "envoy.http.early_header_mutation.header_mutation"
    kind = "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"
    config = {"@type": f"type.googleapis.com/{kind}", "mutations": mutations}
    return [{"name": name, "typed_config": config}]


def authentication_filters(settings: SecuritySettings, folder: Path) -> list[Json]:
    """Return the filters that reject unauthenticated requests; none without authentication."""
    filters = []
    if settings.api_keys_path is not None:
        filters.append(_from_file(_API_KEYS, _API_KEYS_TYPE, folder))
    if settings.jwt_jwks_path is not None:
        filters.append(_from_file(_JWT, _JWT_TYPE, folder))
    if settings.authenticates:
        filters.append({"name": _GUARD, "typed_config": _guard()})
    return filters


def without_authentication(settings: SecuritySettings, folder: Path) -> Json:
    """Return the ``typed_per_filter_config`` of a route that needs no authentication."""
    disabled = {
        "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig",
        "config": {},
        "disabled": True,
    }
    return {each["name"]: disabled for each in authentication_filters(settings, folder)}


def authentication_files(settings: SecuritySettings) -> dict[str, Json]:
    """Return the files with the keys, by file name.

    Raises:
        UnusableFile: a file of keys is invalid.
    """
    files = {}
    if settings.api_keys_path is not None:
        files[_file_name(_API_KEYS)] = _resource(_API_KEYS, _api_keys(settings.api_keys_path))
    if settings.jwt_jwks_path is not None:
        files[_file_name(_JWT)] = _resource(_JWT, _jwt(settings, settings.jwt_jwks_path))
    return files


def _from_file(name: str, kind: str, folder: Path) -> Json:
    """Return a filter whose configuration is in a file that may be replaced at any time."""
    source = {
        "path_config_source": {"path": str(folder / _file_name(name))},
        "resource_api_version": "V3",
    }
    return {"name": name, "config_discovery": {"config_source": source, "type_urls": [kind]}}


def _file_name(name: str) -> str:
    return f"{name.rpartition('.')[2]}.json"


def _resource(name: str, config: Json) -> Json:
    kind = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"
    return {"resources": [{"@type": kind, "name": name, "typed_config": config}]}


def _api_keys(path: Path) -> Json:
    keys = read_api_keys(path)
    return {
        "@type": _API_KEYS_TYPE,
        "credentials": [{"key": key, "client": caller} for key, caller in keys.items()],
        # In the second header the key follows `Bearer `.
        "key_sources": [{"header": "x-api-key"}, {"header": "authorization"}],
        "forwarding": {"header": CALLER_IDENTITY, "hide_credentials": True},
    }


def _jwt(settings: SecuritySettings, path: Path) -> Json:
    provider: Json = {
        "local_jwks": {"inline_string": read_jwks(path)},
        # Not from the query string, which is written to logs.
        "from_headers": [{"name": "authorization", "value_prefix": "Bearer "}],
        "subjects": {"safe_regex": {"regex": _PRINTABLE}},
        "require_expiration": True,
        "claim_to_headers": [{"header_name": CALLER_IDENTITY, "claim_name": "sub"}],
    }
    if settings.jwt_issuer is not None:
        provider["issuer"] = settings.jwt_issuer
    if settings.jwt_audience is not None:
        provider["audiences"] = [settings.jwt_audience]
    return {
        "@type": _JWT_TYPE,
        "providers": {"callers": provider},
        "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "callers"}}],
    }


def _guard() -> Json:
    """Return a filter that rejects requests without an identity, such as an empty subject."""
    named = {
        "name": CALLER_IDENTITY,
        "string_match": {"safe_regex": {"regex": _PRINTABLE}},
    }
    policy = {"permissions": [{"any": True}], "principals": [{"header": named}]}
    return {
        "@type": f"{_FILTERS}.rbac.v3.RBAC",
        "rules": {"action": "ALLOW", "policies": {"identified": policy}},
    }


def _set(header: str, value: str) -> Json:
    return {
        "append": {
            "header": {"key": header, "value": value},
            "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
        }
    }
