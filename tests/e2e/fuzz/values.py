"""What clients send where something is expected: the right thing, nearly right, and wrong."""

import json
from typing import Any

from hypothesis import strategies as st

from fleet_schemas import CONFIG_TYPES

HOSTILE_TEXTS = (
    "",
    " ",
    "\0",
    "*",
    "../../../etc/passwd",
    "/etc/passwd",
    "/dev/zero",
    "${oc.env:HOME}",
    "${name}",
    "${",
    "!!python/name:os.system",
    "os.system",
    "\u202e\ufffd\U0010ffff",
    "\r\nSET x y\r\n",
    "%s%n{}{0.__class__}",
    "x" * 300,
    "x" * 5000,
)
YAML_TAGS = ("int", "float", "bool", "null", "timestamp", "binary", "set", "omap", "pairs", "map")
HOSTILE_NUMBERS = (
    0,
    -1,
    1,
    2,
    512,
    2**31 - 1,
    2**31,
    2**63 - 1,
    -(2**63),
    10**30,
    0.5,
    -0.0,
    1e308,
)

texts = st.one_of(st.sampled_from(HOSTILE_TEXTS), st.text(max_size=20))
values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.sampled_from(HOSTILE_NUMBERS), texts, st.floats()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=6,
)
yaml_texts = st.builds(
    "{}: {}{}".format,
    st.sampled_from(("nodes", "? [a]\n", "<<", "&a x", "*a", "- a")),
    st.sampled_from(("", *(f"!!{tag} " for tag in YAML_TAGS), "!x ", "&a ", "*a ", "[", "{")),
    st.one_of(texts, st.sampled_from(("''", "[]", "{}", "0x", "1:60", "1e999", ".nan", "~", "<<"))),
)
_right_paths = st.sampled_from(
    (
        "trainrun/rx_statistical",
        "pipeline/rx_statistical",
        "rx_statistical",
        "anomaly/rx/rx_statistical",
        "data/lentils",
        "fuzz/saved.yaml",
        "fuzz/saved_pipeline.pt",
        "scene.npz",
        "fuzz",
    )
)
paths = st.one_of(
    _right_paths,
    st.builds("{}{}".format, st.sampled_from(("./", "../", "/", "trainrun/", "a/")), _right_paths),
    texts,
)
config_types = st.sampled_from([*CONFIG_TYPES] * 8 + ["TRAINRUN", "hydra", *HOSTILE_TEXTS])
overrides = st.one_of(
    st.builds(
        "{}{}={}".format,
        st.sampled_from(["", "+", "++", "~"]),
        st.sampled_from(
            [
                "name",
                "data.batch_size",
                "data.train_ids",
                "training.max_epochs",
                "training.trainer.max_epochs",
                "training.optimizer.lr",
                "training",
                "data",
                "pipeline",
                "nodes.rx_global.hparams.num_channels",
                "pipeline.nodes.0.hparams",
                "hydra.run.dir",
                "_target_",
            ]
        ),
        st.one_of(texts, values.map(str), st.sampled_from(["[0,1]", "{a:1}", "1,2", "range(1,9)"])),
    ),
    texts,
)


def _places(tree: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something hangs in a tree of JSON values."""
    if isinstance(tree, dict):
        children = list(tree.items())
    elif isinstance(tree, list):
        children = list(enumerate(tree))
    else:
        children = []
    return [place for key, child in children for place in ((*at, key), *_places(child, (*at, key)))]


def _inside(tree: Any, place: tuple[Any, ...]) -> Any:
    for key in place:
        tree = tree[key]
    return tree


@st.composite
def mutated(draw: st.DrawFn, valid: str) -> Any:
    """A valid config, as JSON text, with up to three things replaced, moved, doubled or removed."""
    tree = json.loads(valid)
    for _ in range(draw(st.integers(0, 3))):
        places = _places(tree)
        if not places:
            break
        place = draw(st.sampled_from(places))
        holder, key = _inside(tree, place[:-1]), place[-1]
        match draw(st.sampled_from(("replace", "transplant", "remove", "double", "rename"))):
            case "replace":
                holder[key] = draw(values)
            case "transplant":
                holder[key] = json.loads(json.dumps(_inside(tree, draw(st.sampled_from(places)))))
            case "double" if isinstance(holder, list):
                holder.extend([holder[key]] * draw(st.sampled_from((1, 7))))
            case "rename" if isinstance(holder, dict):
                holder[draw(texts)] = holder.pop(key)
            case _:
                del holder[key]
    return tree


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """Bytes with a few changed, cut short, or followed by others."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(0, 4))):
        if content:
            content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    end = draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))
    return bytes(content[:end]) + draw(st.binary(max_size=8))
