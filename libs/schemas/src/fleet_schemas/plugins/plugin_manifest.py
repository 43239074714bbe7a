"""Plugin manifests."""

from typing import Any

from pydantic import ConfigDict, Field, field_validator, model_validator

from fleet_schemas.config_model import ConfigModel
from fleet_schemas.plugins.capability import Capability

MAX_CAPABILITIES = 1000
SOURCE_FOLDERS = ("", "src")
"""Subfolders of a plugin's folder that may contain its packages."""

_REPOSITORIES = ("https://", "http://", "git@")


class PluginManifest(ConfigModel):
    """A plugin: the source of its code, and the classes it provides.

    The older generation lists class paths under `provides`, the newer one objects under
    `capabilities`; both become `capabilities`. Other content of a manifest (weights, package
    extras) is ignored.
    """

    model_config = ConfigDict(extra="ignore")

    name: str = Field(max_length=100, description="Name of the plugin.")
    repo: str | None = Field(None, max_length=2000, description="Address of a git repository.")
    tag: str | None = Field(None, max_length=200, description="Tag in the repository.")
    path: str | None = Field(None, description="Folder of a local plugin.")
    capabilities: list[Capability] = Field(
        min_length=1, max_length=MAX_CAPABILITIES, description="Provided classes."
    )

    @property
    def is_git(self) -> bool:
        """Whether the code is in a git repository."""
        return self.repo is not None

    @property
    def source(self) -> str:
        """Address of the repository, or the folder."""
        return (self.repo if self.is_git else self.path) or ""

    @property
    def class_paths(self) -> list[str]:
        """The paths of all classes."""
        return [capability.class_name for capability in self.capabilities]

    @model_validator(mode="before")
    @classmethod
    def _read_older_form(cls, sent: Any) -> Any:
        if not isinstance(sent, dict) or "provides" not in sent or "capabilities" in sent:
            return sent
        provided = sent["provides"]
        if isinstance(provided, list):
            provided = [
                {"class_name": path} if isinstance(path, str) else path for path in provided
            ]
        return {key: value for key, value in sent.items() if key != "provides"} | {
            "capabilities": provided
        }

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        if not name.isidentifier():
            raise ValueError("must be an identifier, of letters, digits and '_'")
        return name

    @field_validator("repo")
    @classmethod
    def _check_repository(cls, repo: str | None) -> str | None:
        if repo is not None and not repo.startswith(_REPOSITORIES):
            raise ValueError(f"must begin with one of {', '.join(_REPOSITORIES)}")
        return repo

    @field_validator("tag")
    @classmethod
    def _check_tag(cls, tag: str | None) -> str | None:
        # git would interpret a leading dash as an option.
        if tag is not None and (not tag.strip() or tag.startswith("-")):
            raise ValueError("must be the name of a tag")
        return tag

    @model_validator(mode="after")
    def _check_source(self) -> "PluginManifest":
        if bool(self.path and self.path.strip()) == self.is_git:
            raise ValueError("needs either 'path', or 'repo' and 'tag'")
        if self.is_git and self.tag is None:
            raise ValueError("needs a 'tag' beside 'repo'")
        return self
