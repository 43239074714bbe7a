"""Overrides that reach for the environment, for code, or for all of the time."""

from collections.abc import Callable

from tests.support.case import INVALID, Case, Fields


def _case(name: str, text: str, overrides: Callable[[], list[str]]) -> Case:
    def fields() -> Fields:
        return {
            "config_type": "trainrun",
            "path": "trainrun/rx_statistical",
            "overrides": overrides(),
        }

    return Case(name, "ResolveConfig", fields, INVALID, text)


CASES = [
    _case(
        "the environment",
        "override 'name=${oc.env:HOME}': '${oc.env:HOME}' is refused. Only "
        "references to other keys of the same config are followed, as in "
        "'${data.batch_size}'.",
        lambda: ["name=${oc.env:HOME}"],
    ),
    _case(
        "the environment in quotes",
        "override 'name='${oc.env:HOME}'': '${oc.env:HOME}' is refused. Only "
        "references to other keys of the same config are followed, as in "
        "'${data.batch_size}'.",
        lambda: ["name='${oc.env:HOME}'"],
    ),
    _case(
        "the environment in parts",
        "override 'name='${oc.${x}:HOME}'': '${oc.${x}:HOME}' is refused. Only "
        "references to other keys of the same config are followed, as in "
        "'${data.batch_size}'.",
        lambda: ["name='${oc.${x}:HOME}'", "+x=env"],
    ),
    _case(
        "Hydra's own values",
        "override 'name=${hydra:runtime.cwd}': '${hydra:runtime.cwd}' is "
        "refused. Only references to other keys of the same config are "
        "followed, as in '${data.batch_size}'.",
        lambda: ["name=${hydra:runtime.cwd}"],
    ),
    _case(
        "a decoder",
        "override 'name='${oc.decode:1}'': '${oc.decode:1}' is refused. Only "
        "references to other keys of the same config are followed, as in "
        "'${data.batch_size}'.",
        lambda: ["name='${oc.decode:1}'"],
    ),
    _case(
        "a target",
        "override '+_target_=os.system': the key '_target_' is refused. "
        "Configs contain values only; nothing is instantiated from them.",
        lambda: ["+_target_=os.system"],
    ),
    _case(
        "a target inside",
        "override '+tags={_target_:os.system}': the key '_target_' is refused. "
        "Configs contain values only; nothing is instantiated from them.",
        lambda: ["+tags={_target_:os.system}"],
    ),
    _case(
        "Hydra's folder",
        "override 'hydra.run.dir=/tmp' is refused: Hydra's own settings belong to the server.",
        lambda: ["hydra.run.dir=/tmp"],
    ),
    _case(
        "a search path",
        "override 'hydra.searchpath=[file:///etc]' is refused: Hydra's own "
        "settings belong to the server.",
        lambda: ["hydra.searchpath=[file:///etc]"],
    ),
    _case(
        "a launcher",
        "override 'hydra/launcher=joblib' is refused: Hydra's own settings belong to the server.",
        lambda: ["hydra/launcher=joblib"],
    ),
    _case(
        "a sweep",
        "override 'training.seed=1,2,3' asks for several values at once. Write "
        "a list as key=[a,b], or quote it.",
        lambda: ["training.seed=1,2,3"],
    ),
    _case(
        "a sweep without end",
        "override 'training.seed=range(0,1000000000)' asks for several values "
        "at once. Write a list as key=[a,b], or quote it.",
        lambda: ["training.seed=range(0,1000000000)"],
    ),
    _case(
        "a file as a group",
        "In 'trainrun/rx_statistical': Could not find "
        "'data/../../../etc/passwd' Available options in 'data': lentils. "
        "Requested by override 'data=../../../etc/passwd'.",
        lambda: ["data=../../../etc/passwd"],
    ),
    _case("a reference to itself", "name: '${name}' refers to itself.", lambda: ["name=${name}"]),
    _case(
        "references that double",
        "tags.a2: the references expand to too many values.",
        lambda: [
            "+tags.a0=lol",
            *(f"+tags.a{n}='{''.join([f'${{tags.a{n - 1}}}'] * 9)}'" for n in range(1, 12)),
            "name=${tags.a11}",
        ],
    ),
    _case(
        "100 000 of them",
        "the overrides have 600000 characters; the limit is 32768.",
        lambda: ["name=x"] * 100_000,
    ),
    _case(
        "10 000 brackets",
        f"override 'name={'[' * 195}' has 10005 characters; the limit is 8192.",
        lambda: [f"name={'[' * 10_000}"],
    ),
    _case(
        "no grammar",
        "override '\0=\0' is not in Hydra's grammar. Write key=value, +key=value "
        "to add a key, or ~key to delete one; quote values that contain "
        "special characters.",
        lambda: ["\0=\0"],
    ),
    _case("no key", "override '=x' has no key. Write key=value.", lambda: ["=x"]),
]
