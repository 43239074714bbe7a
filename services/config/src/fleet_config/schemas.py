"""The JSON schemas of configs, for forms and editors."""

import json

from fleet_platform.errors import InvalidInput, NotFound
from fleet_schemas import config_type


def json_schema(kind: str) -> str:
    """Return the JSON schema of one kind of config as text.

    Raises:
        NotFound: no such kind; the text lists the known ones.
    """
    try:
        model = config_type(kind)
    except InvalidInput as error:
        raise NotFound(error.text) from error
    return json.dumps(model.model_json_schema(), indent=2)
