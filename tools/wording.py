"""Checks that names, comments, messages and documents use plain, standard English.

``python -m tools.wording`` checks every tracked file of the product and its documents;
``python -m tools.wording PATH...`` checks the files at or below those paths. Prints one line per
finding and exits with 1 if there are any. A line that needs a listed word, such as a quotation,
ends with the comment ``wording: ok`` in the file's own comment syntax.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

_PRODUCT = re.compile(
    r"(.*/src/.*|(docs|proto|deploy|configs|examples|bench|tools|envoy)/.*|services/[^/]*/README\.md|[^/]+)"
    r"\.(py|pyi|md|proto|yaml|toml|ipynb|sh)|Makefile|.*Dockerfile"
)
_MAX_LINE = 1000  # longer lines are encoded data, such as a notebook's pictures
_EXEMPT = re.compile(r".*_pb2(_grpc)?\.pyi?|tools/wording\.py|constraints\.txt")


class Rule(NamedTuple):
    """A word or phrase that the project does not use, and what to write instead."""

    pattern: re.Pattern[str]
    advice: str


class Finding(NamedTuple):
    """One place that breaks a rule."""

    path: Path
    line: int
    text: str
    advice: str

    def __str__(self) -> str:
        """As ``path:line: text: advice``, which editors can open."""
        return f"{self.path}:{self.line}: {self.text!r}: {self.advice}"


def _word(pattern: str, advice: str) -> Rule:
    # An underscore is a boundary, too, so that the parts of names are checked.
    return Rule(re.compile(rf"(?<![A-Za-z])(?:{pattern})(?![A-Za-z])", re.IGNORECASE), advice)


RULES = (
    _word("told|tells?|telling", "write report, return, send, list, log or notify"),
    _word("hears?|heard|hearing", "write receive, be notified or read"),
    _word("whoever|whomever|whom", "name the caller, the client or the owner"),
    _word("whose doing|by its own word", "name the cause"),
    _word("lain|laid aside", "write unused or stored"),
    _word("lie|lies|lay", "write is in, is below or is stored in"),
    _word(
        "stands?(?!-)|stood",
        "write is, exists, is in, means or builds on",
    ),
    _word("go on|goes on|going on|gone on|went on", "write continue or resume"),
    _word("gives? back|given back|gave back|giving back", "write return or release"),
    _word("takes? up|taken up|took up|taking up", "write resume or claim"),
    _word("parted", "write separated"),
    _word("anew|afresh", "write again"),
    _word("shall", "write must, should or will"),
    _word("(?<!training-)begun", "write started"),
    _word("nobody", "write no client, no caller, nothing or no one"),
    _word("any more", "write any longer, or no longer"),
    _word("for good", "write permanently, or leave it out"),
    _word("for ever", "write forever or indefinitely"),
    _word("by (?:itself|themselves)", "write on its own or automatically, or leave it out"),
    _word("(?:is|are|was|were) to be", "write must be, should be or will be"),
    _word("knows? of", "write know about or refer to"),
    _word("signs? of life", "write heartbeat"),
    _word("(?<!child_)deaths?", "write failure, or say what ended"),
    _word("strangers?", "write unknown or untrusted"),
    _word(r"(?:held|holds?|holding) (?:\w+ )?against", "write compare or check"),
    _word("lets? go|letting go", "write release or drop"),
    _word("takes? note|taking note|took note", "write record or log"),
    _word("so many", "write this many or that many"),
    _word("none the less|nonetheless", "write still or anyway"),
    _word("(?<!there )(?:is|are|was|were) no(?! longer)(?! more)", "write is not a/an, or has no"),
    _word("there (?:is|are) none", "write is empty or none exist"),
    _word("of (?:its|their|his|one's) own", "write its own X or a separate X"),
    _word("rooms?", "write package, component or space"),
    _word("doors?", "write access control, security or entry point"),
    _word("judges?|judged|judging|judgement", "write evaluate, check or measure"),
    _word("looks? after|looked after", "write monitor or reconcile"),
    _word("mends?|mended|mending", "write fix or repair"),
    _word("ails?", "write is wrong with"),
    _word("at hand", "write available or ready"),
    _word("prefork(?:ed|s|ing)?", "write fork server"),
    # Published configs have a key of this name.
    _word(r"(?<!\.)patien(?:ce(?!:|=)|t|tly)", "write retry or wait"),
    Rule(
        re.compile(
            r'"""(?:Have|Let|Take the|Prepare\.|See `|What |Whom? |Whose |Of )'
            r"|^\s*(?:#\s*)?(?:Have|Let) (?!us )"
        ),
        "begin with the verb or the noun itself",
    ),
)


def findings(path: Path, text: str) -> list[Finding]:
    """Return the places in `text`, the content of `path`, that break a rule."""
    return [
        Finding(path, number, match.group(), rule.advice)
        for number, line in enumerate(text.splitlines(), start=1)
        if "wording: ok" not in line and '"image/png":' not in line
        for rule in RULES
        for match in rule.pattern.finditer(line)
    ]


def checked_files(below: list[str]) -> list[Path]:
    """Return the tracked files, at or below the given paths, whose wording is checked."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *below], check=True, capture_output=True, text=True
    ).stdout
    return [
        Path(name)
        for name in listed.split("\0")
        if _PRODUCT.fullmatch(name) and not _EXEMPT.fullmatch(name)
    ]


def main(arguments: list[str]) -> int:
    """Check the files and print the findings; return the exit code."""
    found = [
        finding
        for path in checked_files(arguments)
        for finding in findings(path, path.read_text(encoding="utf-8"))
    ]
    for finding in found:
        print(finding)
    if found:
        print(f"{len(found)} places; docs/glossary.md has the project's terms", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
