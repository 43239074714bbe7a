"""Data configs, in the two published forms."""

from typing import Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from fleet_schemas.config_model import ConfigModel, JsonObject
from fleet_schemas.splits import MAX_IDS, DataSplitConfig

_NEWER_KEYS = frozenset({"data_module", "splits", "num_workers", "params"})
_IDS_OF_SPLIT = {"train_ids": "train", "val_ids": "val", "test_ids": "test"}
_PARAM_KEYS = ("cu3s_file_path", "annotation_json_path", "processing_mode")


class DataConfig(ConfigModel):
    """A measurement file, its labels, and its splits.

    The older form names the file and the ids directly. The newer form names a data module, and has
    the file in `params` and the ids in `splits`. For the newer form, the direct attributes are
    filled from `params` and from selectors of kind `file_indices`, so that readers need only these.
    `to_dict` returns the original form.
    """

    cu3s_file_path: str = Field(description="The measurement file, in any supported format.")
    annotation_json_path: str | None = Field(None, description="COCO labels; null: none.")
    train_ids: list[int] = Field(default_factory=list, description="Measurements to train on.")
    val_ids: list[int] = Field(default_factory=list, description="Measurements to validate on.")
    test_ids: list[int] = Field(default_factory=list, description="Measurements to test on.")
    train_split: float | None = Field(
        None, ge=0.0, le=1.0, description="Accepted for older clients; has no effect."
    )
    val_split: float | None = Field(
        None, ge=0.0, le=1.0, description="Accepted for older clients; has no effect."
    )
    shuffle: bool = Field(True, description="Accepted for older clients; has no effect.")
    batch_size: int = Field(1, ge=1, description="Measurements per batch.")
    processing_mode: str = Field(
        "Reflectance", description="Raw, Reflectance, DarkSubtract or SpectralRadiance; .cu3s only."
    )
    data_module: str = Field("cu3s", description="Newer form: the reader.")
    splits: DataSplitConfig | None = Field(None, description="Newer form: the splits.")
    num_workers: int = Field(0, ge=0, description="Newer form: number of reading processes.")
    params: JsonObject = Field(
        default_factory=dict, description="Newer form: parameters of the reader."
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_from_newer_form(cls, sent: Any) -> Any:
        if not isinstance(sent, dict) or not _NEWER_KEYS & sent.keys():
            return sent
        params = sent.get("params")
        derived = (
            {key: params[key] for key in _PARAM_KEYS if key in params}
            if isinstance(params, dict)
            else {}
        )
        return {"cu3s_file_path": ""} | derived | sent

    @model_validator(mode="after")
    def _fill_ids(self) -> "DataConfig":
        for key in _IDS_OF_SPLIT:
            if not getattr(self, key):
                # The model is frozen, but it is still being constructed here.
                self.__dict__[key] = self._ids_in_splits(key)
        return self

    def _ids_in_splits(self, key: str) -> list[int]:
        if self.splits is None:
            return []
        ids: list[int] = []
        for selector in getattr(self.splits, _IDS_OF_SPLIT[key]):
            ids.extend(selector.measurement_ids())
            if len(ids) > MAX_IDS:
                raise ValueError(f"splits name more than {MAX_IDS} measurements")
        return ids

    @model_serializer(mode="wrap")
    def _serialize(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        dumped: dict[str, Any] = handler(self)
        if not self.model_fields_set & _NEWER_KEYS:
            return {key: value for key, value in dumped.items() if key not in _NEWER_KEYS}
        return {
            key: value
            for key, value in dumped.items()
            if key in _NEWER_KEYS or key == "batch_size" or not self._is_derived(key, value)
        }

    def _is_derived(self, key: str, value: Any) -> bool:
        if key in _IDS_OF_SPLIT:
            return bool(value == self._ids_in_splits(key))
        default = "" if key == "cu3s_file_path" else type(self).model_fields[key].default
        return bool(value == self.params.get(key, default))
