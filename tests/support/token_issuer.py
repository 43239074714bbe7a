"""Signs tokens (JWT), as an identity provider of a test's own."""

import json
import time
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import ec


class TokenIssuer:
    """Issues tokens, by default of ``alice`` from ``lab`` for ``fleet``."""

    def __init__(self, key_id: str) -> None:
        self._key_id = key_id
        self._key = ec.generate_private_key(ec.SECP256R1())

    def publish(self, path: Path) -> None:
        """Move a file into place with the key that the tokens can be checked with (JWKS)."""
        public = jwt.algorithms.ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        new = path.with_suffix(".new")
        new.write_text(json.dumps({"keys": [{**public, "kid": self._key_id}]}), encoding="utf-8")
        new.replace(path)

    def token(self, **claims: object) -> str:
        """A token with these claims beside the usual ones; None leaves a usual one out."""
        usual = {"sub": "alice", "iss": "lab", "aud": "fleet", "exp": time.time() + 3600}
        held = {key: value for key, value in {**usual, **claims}.items() if value is not None}
        return jwt.encode(held, self._key, algorithm="ES256", headers={"kid": self._key_id})
