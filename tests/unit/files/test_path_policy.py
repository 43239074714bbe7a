"""Reads stay inside the read roots, writes inside the output folder."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_platform.errors import InvalidInput, NotFound
from fleet_platform.files import PathPolicy
from fleet_platform.settings import ServiceSettings

SECRET = "secret.yaml"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A file system with readable folders and a secret outside them."""
    for folder in ("configs/pipeline", "data", "outputs", "more", "home/deep", "outside"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "outside" / SECRET).write_text("secret")
    return tmp_path


@pytest.fixture
def policy(root: Path) -> PathPolicy:
    return PathPolicy(
        working_dir=root / "home",
        configs_dir=root / "configs",
        data_dir=root / "data",
        output_dir=root / "outputs",
        more_roots=(root / "more",),
    )


def write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(str(path))
    return path


def test_the_folders_come_from_the_settings(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    settings = ServiceSettings(
        cuvis_configs_dir=Path("configs"),
        data_dir=root / "data",
        output_dir=Path("outputs"),
        read_roots=(Path("more"),),
    )
    policy = PathPolicy.from_settings(settings)
    assert policy.working_dir == root
    assert policy.read_roots == tuple(root / n for n in ("configs", "data", "outputs", "more"))


class TestSearchPath:
    def test_an_absolute_folder_inside(self, policy: PathPolicy, root: Path) -> None:
        assert policy.search_path(f"{root}/configs/pipeline/") == root / "configs" / "pipeline"

    def test_a_folder_relative_to_the_working_directory(
        self, policy: PathPolicy, root: Path
    ) -> None:
        assert policy.search_path("../configs/./pipeline") == root / "configs" / "pipeline"

    def test_a_root_itself(self, policy: PathPolicy, root: Path) -> None:
        assert policy.search_path(str(root / "more")) == root / "more"

    def test_a_link_from_outside_to_a_folder_inside(self, policy: PathPolicy, root: Path) -> None:
        (root / "home" / "link").symlink_to(root / "configs")
        assert policy.search_path("link/pipeline") == root / "configs" / "pipeline"

    def test_everything_else_is_rejected(self, policy: PathPolicy, root: Path) -> None:
        write(root / "configs" / "a.yaml")
        (root / "configs" / "leak").symlink_to(root / "outside")
        (root / "configs" / "loop").symlink_to(root / "configs" / "loop")
        refused = [
            "",  # the working directory, which is no read root
            "/",
            "~",
            "configs\\pipeline",
            "\0",
            "\ud800",
            "x" * 1_000_000,
            str(root / "outside"),
            str(root / "configs" / "missing"),
            str(root / "configs" / "a.yaml"),
            str(root / "configs" / "leak"),
            str(root / "configs" / "loop"),
            f"{root}/configs-but-not-really",
        ]
        assert [policy.search_path(text) for text in refused] == [None] * len(refused)


class TestReadable:
    def test_places_are_tried_in_order(self, policy: PathPolicy, root: Path) -> None:
        wide = PathPolicy(
            policy.working_dir,
            policy.configs_dir,
            policy.data_dir,
            policy.output_dir,
            (root / "more", root / "home"),
        )
        places = [
            root / "more" / "data" / "a.yaml",  # a search path of the session
            root / "outputs" / "data" / "a.yaml",
            root / "home" / "data" / "a.yaml",
            root / "data" / "data" / "a.yaml",
            root / "data" / "a.yaml",
            root / "configs" / "data" / "a.yaml",
        ]
        for place in places:
            write(place)
        for place in places:
            assert wide.readable("data/a.yaml", [str(root / "more")]) == place
            place.unlink()
        with pytest.raises(NotFound):
            wide.readable("data/a.yaml", [str(root / "more")])

    @pytest.mark.parametrize("text", ["configs/pipeline/a.yaml", "./configs/pipeline/a.yaml"])
    def test_the_configuration_tree_is_found_with_its_name(
        self, policy: PathPolicy, root: Path, text: str
    ) -> None:
        path = write(root / "configs" / "pipeline" / "a.yaml")
        assert policy.readable(text) == path
        assert policy.readable("pipeline/a.yaml") == path

    def test_a_tree_on_the_clients_machine_maps_to_that_of_the_server(
        self, policy: PathPolicy, root: Path
    ) -> None:
        path = write(root / "configs" / "pipeline" / "a.pt")
        for text in ("/home/lab/configs/pipeline/a.pt", "/configs/pipeline/./a.pt"):
            assert policy.readable(text) == path
        assert policy.readable("/srv/configs/old/configs/pipeline/a", suffixes=(".pt",)) == path
        with pytest.raises(NotFound, match=r"^File '/home/lab/configs/b.pt' not found.$"):
            policy.readable("/home/lab/configs/b.pt")

    @pytest.mark.parametrize("text", ["/home/lab/pipeline/a.pt", "/home/configs", "/etc/configs/"])
    def test_no_other_folder_on_the_clients_machine_does(
        self, policy: PathPolicy, text: str
    ) -> None:
        with pytest.raises(InvalidInput, match="outside the folders"):
            policy.readable(text)

    def test_a_readable_path_is_not_looked_up_elsewhere(
        self, policy: PathPolicy, root: Path
    ) -> None:
        write(root / "configs" / "a.pt")
        own = write(root / "more" / "configs" / "a.pt")
        assert policy.readable(str(own)) == own

    def test_an_earlier_search_path_wins(self, policy: PathPolicy, root: Path) -> None:
        first = write(root / "more" / "first" / "a.yaml")
        write(root / "more" / "second" / "a.yaml")
        assert policy.readable("a.yaml", [first.parent, root / "more" / "second"]) == first

    def test_suffixes_are_tried_in_each_place(self, policy: PathPolicy, root: Path) -> None:
        far = write(root / "configs" / "a")
        near = write(root / "outputs" / "a.yaml")
        assert policy.readable("a", suffixes=("", ".yaml")) == near
        assert policy.readable("a") == far
        assert policy.readable(str(root / "outputs" / "a"), suffixes=(".yaml",)) == near

    def test_not_found_names_the_places_in_words(self, policy: PathPolicy, root: Path) -> None:
        with pytest.raises(NotFound) as caught:
            policy.readable("a", suffixes=("", ".yaml"))
        assert caught.value.text == (
            "File 'a' not found (also with '.yaml' added); looked in the session's search paths, "
            "the output folder, the working directory, the data folder and the configuration tree."
        )
        assert str(root) not in caught.value.text

    def test_absolute_inside_but_missing(self, policy: PathPolicy, root: Path) -> None:
        text = str(root / "data" / "a.pt")
        with pytest.raises(NotFound) as caught:
            policy.readable(text)
        assert caught.value.text == f"File '{text}' not found."

    def test_a_folder_is_not_a_file(self, policy: PathPolicy) -> None:
        with pytest.raises(NotFound):
            policy.readable("pipeline")

    def test_roots_need_not_exist(self, tmp_path: Path) -> None:
        policy = PathPolicy(tmp_path, tmp_path / "c", tmp_path / "d", tmp_path / "o")
        with pytest.raises(NotFound):
            policy.readable("a.yaml")
        write(tmp_path / "o" / "a.yaml")
        assert policy.readable("a.yaml") == tmp_path / "o" / "a.yaml"

    def test_a_root_may_be_a_link(self, root: Path) -> None:
        (root / "mount").symlink_to(root / "data")
        path = write(root / "data" / "a.npz")
        policy = PathPolicy(root / "home", root / "configs", root / "mount", root / "outputs")
        assert policy.readable("a.npz") == path
        assert policy.readable(str(root / "mount" / "a.npz")) == path

    @pytest.mark.parametrize("exists", [True, False])
    @pytest.mark.parametrize(
        "text",
        [
            "{root}/outside/secret.yaml",
            "{root}/configs/../outside/secret.yaml",
            "{root}/configs/leak/secret.yaml",
            "{root}/configs/direct.yaml",
            "{root}/outside",
            "../outside/secret.yaml",
            "../../../../../../../../../../etc/passwd",
        ],
    )
    def test_paths_outside_cause_the_same_error_whether_they_exist_or_not(
        self, policy: PathPolicy, root: Path, text: str, exists: bool
    ) -> None:
        (root / "configs" / "leak").symlink_to(root / "outside")
        (root / "configs" / "direct.yaml").symlink_to(root / "outside" / SECRET)
        if not exists:
            (root / "outside" / SECRET).unlink()
        text = text.format(root=root)
        with pytest.raises(InvalidInput) as caught:
            policy.readable(text)
        assert caught.value.text == (
            f"Path '{text}' is outside the folders that this server may read."
        )

    def test_a_link_that_leaves_the_roots_does_not_hide_a_later_place(
        self, policy: PathPolicy, root: Path
    ) -> None:
        (root / "outputs" / "a.yaml").symlink_to(root / "outside" / SECRET)
        path = write(root / "configs" / "a.yaml")
        assert policy.readable("a.yaml") == path

    def test_a_search_path_outside_finds_nothing(self, policy: PathPolicy, root: Path) -> None:
        with pytest.raises(NotFound):
            policy.readable(SECRET, [root / "outside"])

    @pytest.mark.parametrize("text", ["\0", "a\0.yaml", "\ud800", "x" * 5000, "a/" * 500_000])
    def test_impossible_file_names(self, policy: PathPolicy, text: str) -> None:
        with pytest.raises(InvalidInput, match="cannot be the name of a file") as caught:
            policy.readable(text)
        assert len(caught.value.text) < 300
        assert "\0" not in caught.value.text

    def test_the_empty_path(self, policy: PathPolicy) -> None:
        with pytest.raises(InvalidInput, match="The path is empty; name a file"):
            policy.readable("", suffixes=("", ".yaml"))

    @pytest.mark.parametrize("text", ["~/a.yaml", "outputs\\a.yaml", "$HOME/a", "x" * 300, "*"])
    def test_unusual_names_are_just_text(self, policy: PathPolicy, text: str) -> None:
        with pytest.raises(NotFound, match="not found; looked in"):
            policy.readable(text)

    def test_a_backslash_is_an_ordinary_character(self, policy: PathPolicy, root: Path) -> None:
        path = write(root / "outputs" / "outputs\\a.yaml")
        assert policy.readable("outputs\\a.yaml") == path


class TestDataFile:
    def test_places_are_tried_in_order(self, root: Path) -> None:
        policy = PathPolicy(
            root / "home", root / "configs", root / "data", root / "outputs", (root / "home",)
        )
        places = [root / "home/data/a.npz", root / "data/data/a.npz", root / "data/a.npz"]
        for place in places:
            write(place)
        for place in places:
            assert policy.data_file("data/a.npz") == place
            place.unlink()
        with pytest.raises(NotFound, match="looked in the working directory and the data folder"):
            policy.data_file("data/a.npz")

    def test_the_working_directory_only_inside_a_root(self, policy: PathPolicy, root: Path) -> None:
        write(root / "home" / "a.npz")
        with pytest.raises(NotFound):
            policy.data_file("a.npz")

    def test_absolute(self, policy: PathPolicy, root: Path) -> None:
        path = write(root / "data" / "a.npz")
        assert policy.data_file(str(path)) == path
        with pytest.raises(InvalidInput, match="outside the folders"):
            policy.data_file(str(root / "outside" / SECRET))

    def test_other_places_are_not_searched(self, policy: PathPolicy, root: Path) -> None:
        write(root / "outputs" / "a.npz")
        with pytest.raises(NotFound):
            policy.data_file("a.npz")


class TestWritable:
    def test_relative_paths_are_below_the_output_folder(
        self, policy: PathPolicy, root: Path
    ) -> None:
        assert policy.writable("new/folder/a.yaml") == root / "outputs/new/folder/a.yaml"

    def test_absolute_only_inside_it(self, policy: PathPolicy, root: Path) -> None:
        inside = root / "outputs" / "a.yaml"
        assert policy.writable(str(inside)) == inside

    def test_a_written_file_is_read_by_the_same_path(self, policy: PathPolicy) -> None:
        path = write(policy.writable("run/a.yaml"))
        assert policy.readable("run/a.yaml") == path

    @pytest.mark.parametrize(
        "text",
        [
            "../a.yaml",
            "../outside/secret.yaml",
            "{root}/data/a.yaml",
            "{root}/outside/secret.yaml",
            "{root}/outputs/../outside/secret.yaml",
            "{root}/outputs-not/a.yaml",
            "leak/secret.yaml",
            "leak/new.yaml",
            "direct.yaml",
        ],
    )
    @pytest.mark.parametrize("exists", [True, False])
    def test_paths_outside_cause_the_same_error_whether_they_exist_or_not(
        self, policy: PathPolicy, root: Path, text: str, exists: bool
    ) -> None:
        (root / "outputs" / "leak").symlink_to(root / "outside")
        (root / "outputs" / "direct.yaml").symlink_to(root / "outside" / SECRET)
        if not exists:
            (root / "outside" / SECRET).unlink()
        text = text.format(root=root)
        with pytest.raises(InvalidInput) as caught:
            policy.writable(text)
        assert caught.value.text == (
            f"Path '{text}' is outside the folder that this server writes to; "
            "use a relative path, which is written below its output folder."
        )

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("", "names a folder"),
            (".", "names a folder"),
            ("{root}/outputs", "names a folder"),
            ("folder", "names a folder"),
            ("file/a.yaml", "goes through a file"),
            ("x" * 256, "more than 255 bytes"),
            ("\0", "cannot be the name of a file"),
            ("x" * 5000, "cannot be the name of a file"),
        ],
    )
    def test_impossible_file_names(
        self, policy: PathPolicy, root: Path, text: str, problem: str
    ) -> None:
        (root / "outputs" / "folder").mkdir()
        write(root / "outputs" / "file")
        with pytest.raises(InvalidInput, match=problem):
            policy.writable(text.format(root=root))

    def test_the_output_folder_may_be_missing(self, tmp_path: Path) -> None:
        policy = PathPolicy(tmp_path, tmp_path / "c", tmp_path / "d", tmp_path / "o")
        assert policy.writable("a.yaml") == tmp_path / "o" / "a.yaml"
        with pytest.raises(InvalidInput, match="names a folder"):
            policy.writable("")


_PARTS = st.sampled_from(
    ["..", ".", "", "a", "leak", "up", "configs", "data", "outside", SECRET, "~", "\0", "\\", "é"]
)
_TEXTS = st.lists(_PARTS, max_size=8).map("/".join) | st.text(max_size=20)


@settings(deadline=None)  # file systems of loaded machines take their time
@given(text=_TEXTS, absolute=st.booleans())
def test_no_path_leads_outside(
    tmp_path_factory: pytest.TempPathFactory, text: str, absolute: bool
) -> None:
    root = tmp_path_factory.getbasetemp() / "path-policy"
    if not root.exists():
        for folder in ("configs/a", "data", "outputs/a", "outside/a"):
            (root / folder).mkdir(parents=True)
        write(root / "outside" / SECRET)
        write(root / "outside" / "a" / SECRET)
        write(root / "configs" / SECRET)
        for start in ("configs", "outputs"):
            (root / start / "leak").symlink_to(root / "outside")
            (root / start / "up").symlink_to("..")
    policy = PathPolicy(root, root / "configs", root / "data", root / "outputs")
    if absolute:
        text = f"{root}/{text}"

    for find in (policy.readable, policy.data_file):
        try:
            path = find(text)
        except (InvalidInput, NotFound):
            continue
        assert path.resolve().is_relative_to(root)
        assert not path.resolve().is_relative_to(root / "outside")
        assert path.is_file()
    try:
        path = policy.writable(text)
    except InvalidInput:
        return
    assert path.resolve().is_relative_to(root / "outputs")
