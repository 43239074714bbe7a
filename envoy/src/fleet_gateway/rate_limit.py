"""Rate limit per caller."""

from typing import Any

from fleet_gateway.security_settings import SecuritySettings
from fleet_proto.headers import CALLER_ADDRESS, CALLER_IDENTITY

Json = dict[str, Any]

RATE_LIMIT_FILTER = "envoy.filters.http.local_ratelimit"
_MAX_CALLERS = 10_000
_NO_LIMIT = 2**32 - 1


def rate_limit_filters(settings: SecuritySettings) -> list[Json]:
    """Return the HTTP filter of the rate limit; empty without a limit."""
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
        # An entry without a value matches all values, each with a separate bucket; the least
        # recently used buckets are replaced by new ones.
        "descriptors": [
            {"entries": [{"key": key}], "token_bucket": _bucket(burst, settings.calls_per_s)}
        ],
        "max_dynamic_descriptors": _MAX_CALLERS,
        "token_bucket": _bucket(_NO_LIMIT, _NO_LIMIT),
        "always_consume_default_token_bucket": False,
        # The default, UNAVAILABLE, would make clients retry at once.
        "rate_limited_as_resource_exhausted": True,
        "enable_retry_after_header": True,
    }
    return [{"name": RATE_LIMIT_FILTER, "typed_config": config}]


_TYPE = "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"


def _bucket(max_tokens: int, per_s: int) -> Json:
    return {"max_tokens": max_tokens, "tokens_per_fill": per_s, "fill_interval": "1s"}
