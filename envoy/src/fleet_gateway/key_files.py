"""Reads the files of API keys and token keys."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from fleet_gateway.unusable_file import UnusableFile

_CALLER = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,126}[\x21-\x7e])?")
_KEY = re.compile(r"[\x21-\x7e]{16,512}")


def read_api_keys(path: Path) -> dict[str, str]:
    """Read the API keys and their callers.

    The file is YAML, a mapping of callers' names to a key or to a list of keys::

        microscope-2: 0f2d7c4be5f94f7d9f2c
        alice: [a-new-key-of-alice, the-old-key-of-alice]

    Returns:
        The name of the caller by key.

    Raises:
        UnusableFile: the file is not such a mapping or has no keys, a name is not printable ASCII,
            a key does not have 16 to 512 visible ASCII characters, or a key occurs twice.
    """
    try:
        content: Any = yaml.safe_load(_text(path))
    except yaml.YAMLError:
        raise UnusableFile(f"{path} is not valid YAML.") from None
    if not isinstance(content, dict) or not content:
        raise UnusableFile(f"{path} must map the names of callers to their keys.")
    owners: dict[str, str] = {}
    for caller, keys in content.items():
        if not isinstance(caller, str) or not _CALLER.fullmatch(caller):
            raise UnusableFile(
                f"{path}: a caller's name must have 1 to 128 printable ASCII characters."
            )
        for key in keys if isinstance(keys, list) else [keys]:
            if not isinstance(key, str) or not _KEY.fullmatch(key):
                raise UnusableFile(
                    f"{path}: a key of '{caller}' does not have 16 to 512 visible ASCII "
                    "characters; quote it if it looks like a number."
                )
            if key in owners:
                raise UnusableFile(f"{path}: '{owners[key]}' and '{caller}' have the same key.")
            owners[key] = caller
    if not owners:
        raise UnusableFile(f"{path} has no keys.")
    return owners


def read_jwks(path: Path) -> str:
    """Read the public keys that verify the signatures of tokens.

    Returns:
        The file's text.

    Raises:
        UnusableFile: the file is not a JSON object with ``keys``.
    """
    text = _text(path)
    try:
        content = json.loads(text)
    except json.JSONDecodeError:
        raise UnusableFile(f"{path} is not valid JSON.") from None
    if not isinstance(content, dict) or not content.get("keys"):
        raise UnusableFile(f"{path} is not a JWKS, a JSON object with a list of `keys`.")
    return text


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableFile(f"{path} cannot be read as text.") from error
