"""Splits into training, validation and test: the newer published form."""

from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from fleet_schemas.config_model import ConfigModel

SelectorKind = Literal[
    "files",
    "file_indices",
    "dir_indices",
    "stems",
    "glob",
    "tag",
    "categories",
    "all",
    "union",
    "except",
    "intersect",
]

_KEYS_OF_KIND: dict[str, frozenset[str]] = {
    "files": frozenset({"paths"}),
    "file_indices": frozenset({"source", "ids"}),
    "dir_indices": frozenset({"ids"}),
    "stems": frozenset({"stems"}),
    "glob": frozenset({"pattern"}),
    "tag": frozenset({"any_of"}),
    "categories": frozenset({"any_of"}),
    "all": frozenset(),
    "union": frozenset({"of"}),
    "except": frozenset({"of"}),
    "intersect": frozenset({"of"}),
}


MAX_IDS = 1_000_000


class Selector(ConfigModel):
    """A selection of measurements; each kind has its own keys."""

    kind: SelectorKind = Field(description="How the measurements are selected.")
    paths: list[str] = Field(default_factory=list, description="files: whole files.")
    source: str | None = Field(None, description="file_indices: the file.")
    ids: list[int | str] = Field(
        default_factory=list, description="file_indices, dir_indices: numbers or ranges 'a-b'."
    )
    stems: list[str] = Field(default_factory=list, description="stems: file names.")
    pattern: str | None = Field(None, description="glob: the pattern.")
    any_of: list[str] = Field(default_factory=list, description="tag, categories: names.")
    of: list["Selector"] = Field(
        default_factory=list, description="union, except, intersect: the combined selectors."
    )

    @model_validator(mode="after")
    def _check_keys(self) -> "Selector":
        given = {key for key, value in self if key != "kind" and value not in (None, [])}
        expected = _KEYS_OF_KIND[self.kind]
        if given != expected:
            wanted = ", ".join(sorted(expected)) or "no further key"
            raise ValueError(f"a selector of kind '{self.kind}' takes exactly: {wanted}")
        return self

    def measurement_ids(self) -> list[int]:
        """Return the expanded numbers of a `file_indices` selector; empty for other kinds.

        Raises:
            ValueError: an entry is neither a number nor a range.
        """
        if self.kind != "file_indices":
            return []
        return [number for entry in self.ids for number in _numbers(entry)]


class SplitConstraint(ConfigModel):
    """A rule for the splits."""

    kind: Literal["no_split_overlap", "no_source_overlap", "no_train_anomalous"] = Field(
        description="The rule."
    )
    severity: Literal["error", "warn"] = Field("error", description="Severity of a violation.")


class DataSplitConfig(ConfigModel):
    """The measurements of each split; the selectors of a split are combined.

    Releases before 0.9.0 have `leakage_check` instead of `constraints`, and each reader refuses the
    other key: `to_dict` returns the original key.
    """

    splits_path: str | None = Field(None, description="JSON file with the assignment.")
    universe_hash: str | None = Field(None, description="Digest of the file list.")
    train: list[Selector] = Field(default_factory=list, description="Training.")
    val: list[Selector] = Field(default_factory=list, description="Validation.")
    test: list[Selector] = Field(default_factory=list, description="Test.")
    predict: list[Selector] = Field(default_factory=list, description="Prediction; empty: all.")
    constraints: list[SplitConstraint] = Field(default_factory=list, description="Rules.")
    leakage_check: Literal["error", "warn", "off"] | None = Field(
        None, description="Severity of a measurement in two splits; null: see `constraints`."
    )

    @model_serializer(mode="wrap")
    def _serialize(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        dumped: dict[str, Any] = handler(self)
        if self.leakage_check is None:
            del dumped["leakage_check"]
        elif not self.constraints:
            del dumped["constraints"]
        return dumped


def _numbers(entry: int | str) -> range:
    first, dash, last = str(entry).partition("-")
    if not first.isdigit() or (dash and not last.isdigit()):
        raise ValueError(f"'{entry}' is neither a measurement number nor a range 'a-b'")
    numbers = range(int(first), int(last or first) + 1)
    if len(numbers) > MAX_IDS:
        raise ValueError(f"'{entry}' names more than {MAX_IDS} measurements")
    return numbers
