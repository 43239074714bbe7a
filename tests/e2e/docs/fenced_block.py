"""Code blocks in Markdown, with the page's remarks about running them."""

import re
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

_BLOCK = re.compile(
    r"(?:^[ ]*<!-- not run: (?P<reason>[^>]+?) -->\n(?:[ ]*\n)*)?"
    r"^(?P<indent>[ ]*)```(?P<language>\w+)(?P<more>[^\n]*)\n(?P<code>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_TITLE = re.compile(r'title="([^"]+)"')


@dataclass(frozen=True)
class FencedBlock:
    """One code block.

    Attributes:
        page: the page that contains it.
        section: the second-level heading above it; empty if there is none.
        line: the number of its first line of code.
        language: the language named after the fence.
        code: the code without the indentation of the block.
        title: the path of the file that it shows; empty if it has none.
        reason: why it is not run; empty if it is run.
    """

    page: Path
    section: str
    line: int
    language: str
    code: str
    title: str
    reason: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(page: Path) -> list[FencedBlock]:
    """Return all blocks of `page` that name a language."""
    text = page.read_text(encoding="utf-8")
    found = []
    for each in _BLOCK.finditer(text):
        title = _TITLE.search(each["more"])
        found.append(
            FencedBlock(
                page=page,
                section=next(reversed(_SECTION.findall(text, 0, each.start())), ""),
                line=text.count("\n", 0, each.start("code")) + 1,
                language=each["language"],
                code=dedent(each["code"]),
                title=title[1] if title else "",
                reason=each["reason"] or "",
            )
        )
    return found
