"""How many calls a second each caller may make."""

from typing import Any

from fleet_gateway.security_settings import SecuritySettings
from fleet_proto.headers import CALLER_ADDRESS, CALLER_IDENTITY

Json = dict[str, Any]

RATE_LIMIT_FILTER = "envoy.filters.http.local_ratelimit"
_CALLERS_AT_ONCE = 10_000
_NO_LIMIT = 2**32 - 1


def rate_limit_filters(settings: SecuritySettings) -> list[Json]:
    """The HTTP filter that refuses what is too much; none without a limit."""
    if settings.calls_per_s is None:
        return []
    key = "caller"
    header = CALLER_IDENTITY if settings.authenticates else CALLER_ADDRESS
    always = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
    burst = settings.calls_burst or settings.calls_per_s
    config = {
        "@type": f"type.googleapis.com/{_TYPE}",
        "stat_prefix": "callers",
        "filter_enabled": always,
        "filter_enforced": always,
        "rate_limits": [
            {"actions": [{"request_headers": {"header_name": header, "descriptor_key": key}}]}
        ],
        # An entry without a value stands for all values, each with a bucket of its own; the ones
        # that were not used for longest make room for new ones.
        "descriptors": [
            {"entries": [{"key": key}], "token_bucket": _bucket(burst, settings.calls_per_s)}
        ],
        "max_dynamic_descriptors": _CALLERS_AT_ONCE,
        "token_bucket": _bucket(_NO_LIMIT, _NO_LIMIT),
        "always_consume_default_token_bucket": False,
        # The default, UNAVAILABLE, asks clients to come back at once.
        "rate_limited_as_resource_exhausted": True,
        "enable_retry_after_header": True,
    }
    return [{"name": RATE_LIMIT_FILTER, "typed_config": config}]


_TYPE = "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"


def _bucket(most: int, per_s: int) -> Json:
    return {"max_tokens": most, "tokens_per_fill": per_s, "fill_interval": "1s"}
