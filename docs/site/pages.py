"""Which files are pages, in which order, and the tree of Markdown that the site is built from."""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import skills_video_runtime

from .writing import cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from generator.output.pages import Page

ROOT: Final = Path(__file__).resolve().parents[2]
SECTIONS: Final = {
    "Guides": (
        "first-video", "choosing", "payloads", "files", "many", "batch", "errors", "never-pay-twice", "command-line",
        "agents", "agents-transcript", "events", "webhooks", "testing", "network", "platform",
    ),
    "Reference": ("site/reference", "../generated/skills_video/API", "../CHANGELOG"),
    "Updates of the platform": ("review", "review-example", "../specs/SOURCES"),
    "Work on it": ("../CONTRIBUTING", "design", "review-mutations", "datamodel-code-generator"),
}  # fmt: skip
"""The pages that are written by hand, as they stand in `docs/`, and what is read from elsewhere.

One that is not there is left out; one of `docs/` that is not named comes last among the guides.
"""

UNSHOWN: Final = ("UNSET", "webhooks", "parse_payload", "BaseObject", "ModelClient", "AsyncModelClient", "__version__")
"""Names of the library that the reference does not show: what generated modules are made of, and modules."""

BEGIN: Final = (
    "On this site: [your first video](first-video.md), [all models compared](models/index.md),\n"
    "[errors, and what to do](errors.md), and the [Python reference](reference.md)."
)

TITLES: Final = {"docs/review-example.md": "An example of an update"}
"""The titles of pages that are parts of a pull request elsewhere, and have none."""

_LINK: Final = re.compile(r"(\]\()(?!https?:|#|mailto:)([^)#\s]+)(#[^)\s]*)?(?=\))")
_FENCE: Final = re.compile(r"(^```.*?^```|`[^`\n]+`)", re.DOTALL | re.MULTILINE)


def written_by_hand() -> dict[str, dict[str, str]]:
    """Give for each section its pages: the path of each in the repository, and its name on the site."""
    found: dict[str, dict[str, str]] = {}
    for section, names in SECTIONS.items():
        paths = [os.path.normpath(f"docs/{name}.md") for name in names]
        found[section] = {path: Path(path).stem.lower() for path in paths if (ROOT / path).is_file()}
    named = {path for pages in found.values() for path in pages}
    others = (f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))
    found["Guides"] |= {path: Path(path).stem for path in others if path not in named}
    return found


def assemble(target: Path, models: Sequence[str]) -> None:
    """Write the tree of pages below `target`; what is as it was is not touched, so that it is not built again.

    `models` are the modules of the models whose pages are there.
    """
    sections = written_by_hand()
    names = {"README.md": "index"} | {path: name for pages in sections.values() for path, name in pages.items()}
    names |= {f"docs/models/{name}.md": f"models/{name}" for name in ("index", *models)}
    files = {f"{name}.md": placed(path, names) for path, name in names.items()}
    files["reference.md"] += _more(files["reference.md"])
    files["index.md"] = files["index.md"].replace("\n## ", f"\n{BEGIN}\n\n## ", 1)
    first, *others = sections.items()
    trees = [first, ("Models", {"": "models/index"}), *others]
    files["index.md"] += "".join(_tree(section, pages.values()) for section, pages in trees)
    files["models/index.md"] += _tree("Models", models)
    for name, text in files.items():
        write(target / name, text.encode())
    for path in (*(ROOT / "docs").glob("*.svg"), *(ROOT / "docs").glob("models/*.json")):
        write(target / path.relative_to(ROOT / "docs"), path.read_bytes())
    for path in target.rglob("*.md"):
        if path.relative_to(target).as_posix() not in files:
            path.unlink()


def _more(reference: str) -> str:
    """Give the part of the reference for what the library offers and nobody has put anywhere."""
    names = [
        name for name in dir(skills_video_runtime) if name not in UNSHOWN and f"skills_video.{name}\n" not in reference
    ]
    if not names:
        return ""
    return "\n".join(
        ["", "## More", "", "```{eval-rst}", *(f".. autoclass:: skills_video.{name}\n" for name in names), "```", ""]
    )


def write(path: Path, content: bytes) -> None:
    """Write a file, unless it has this content."""
    if path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def placed(path: str, names: dict[str, str]) -> str:
    """Give the text of a page with links that lead on from where it stands on the site, and without HTML.

    What is no page there is linked in the repository.
    """
    text = re.sub(r"<!--.*?-->\n?|</?b>|</details>", "", (ROOT / path).read_text("utf-8"), flags=re.DOTALL)
    text = re.sub(r"<details><summary>(.*)</summary>", r"### \1", text)
    if path in TITLES:
        text = f"# {TITLES[path]}\n\n{text}"

    def leading(link: re.Match[str]) -> str:
        return f"{link[1]}{_target(path, link[2], names)}{link[3] or ''}"

    parts = _FENCE.split(text)
    parts[::2] = [_LINK.sub(leading, part) for part in parts[::2]]
    return "".join(parts)


def _target(path: str, link: str, names: dict[str, str]) -> str:
    found = os.path.normpath(Path(path).parent / link)
    here = Path(names[path]).parent
    if found in names:
        return os.path.relpath(f"{names[found]}.md", here)
    if found.endswith((".svg", ".json")) and found.startswith("docs/"):
        return os.path.relpath(Path(found).relative_to("docs"), here)
    return f"{_repository()}/blob/main/{found}"


@cache
def _repository() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return str(project["urls"]["Source"])


def llms(models: Iterable[Page]) -> str:
    """Give llms.txt: what there is for programs that read, with the Markdown of each page."""
    lines = ["# skills-video", "", "> Typed Python client and command line for the video models of skills.video.", ""]
    for section, found in written_by_hand().items():
        lines += [f"## {section}", ""]
        lines += [f"- [{TITLES.get(path) or _title(path)}]({name}.md)" for path, name in found.items()]
        lines += [""]
    lines += ["## Models", "", "- [All models, compared](models/index.md)"]
    for page in models:
        lines += [f"- [{cell(page.title)}](models/{page.module}.md): {cell(page.model)}. {cell(page.text)}".rstrip()]
    return "\n".join([*lines, ""])


def outline(source: Path) -> str:
    """Give a digest of which pages there are and what each is called: the menu of every page tells of all."""
    pages = {path.relative_to(source).as_posix(): path.read_text("utf-8") for path in source.rglob("*.md")}
    names = (f"{name}: {text.splitlines()[0]}" for name, text in pages.items())
    return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()


def _title(path: str) -> str:
    return (ROOT / path).read_text("utf-8").partition("\n")[0].removeprefix("# ")


def _tree(caption: str, names: Iterable[str]) -> str:
    return "\n".join(["", "```{toctree}", ":hidden:", ":titlesonly:", f":caption: {caption}", "", *names, "```", ""])
