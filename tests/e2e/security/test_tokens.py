"""Tokens (JWT) at the gateway: the subject is the identity of the caller."""

import pytest

from tests.e2e.security.callers import another_gateway
from tests.support.token_issuer import TokenIssuer

pytestmark = [pytest.mark.e2e, pytest.mark.published]


def test_tokens_let_in_whom_they_name(stack, published_at, tmp_path):
    issuer, jwks = TokenIssuer("one"), tmp_path / "jwks.json"
    issuer.publish(jwks)
    security = {"jwt_jwks_path": jwks, "jwt_issuer": "lab", "jwt_audience": "fleet"}
    with another_gateway(stack, tmp_path / "gateway", **security) as address:
        client = published_at(address)
        client.works("create", "resolve", "close", metadata=_bearer(issuer.token()))
        for token in (issuer.token(exp=1), TokenIssuer("one").token(), "alice"):
            code, text = client.refused(metadata=_bearer(token))
            assert code == "UNAUTHENTICATED"
            assert "token" in text


def _bearer(token):
    return {"authorization": f"Bearer {token}"}
