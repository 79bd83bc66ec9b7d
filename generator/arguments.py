"""What the command line takes: commands, and the options of each."""

from __future__ import annotations

import argparse
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OPENAPI = ROOT / "specs" / "openapi.json"


def parser(about: str | None) -> argparse.ArgumentParser:
    """Give what reads the arguments; `about` is told of the program."""
    config = argparse.ArgumentParser(add_help=False)
    config.add_argument("--config", type=Path, default=ROOT / "pyproject.toml", help=argparse.SUPPRESS)
    common = argparse.ArgumentParser(add_help=False, parents=[config])
    common.add_argument(
        "--openapi",
        type=Path,
        action="append",
        metavar="FILE",
        help="the OpenAPI description (specs/openapi.json); given again, a model-scoped one that wins over it for "
        "what it describes. Given once, the files of models/ beside it are read as such too",
    )
    common.add_argument(
        "--docs", type=Path, metavar="FILE", help="the navigation (docs.json beside the description, if there is one)"
    )
    common.add_argument("--strict", action="store_true", help="warnings make the run fail, with exit code 1")
    whole = argparse.ArgumentParser(prog="python -m generator", description=about)
    commands = whole.add_subparsers(dest="command", required=True)
    out = argparse.ArgumentParser(add_help=False)
    out.add_argument("--out", type=Path, metavar="DIR", help="the package (generated/skills_video)")
    commands.add_parser("generate", parents=[common, out], help="write the modules")
    commands.add_parser("check", parents=[common, out], help="write nothing; show what is stale and exit with 1")
    listing = commands.add_parser("list", parents=[common], help="list the selected models and what was passed over")
    listing.add_argument("--json", action="store_true", help="as JSON")
    fetching = commands.add_parser("fetch", parents=[config], help="fetch the descriptions and the navigation anew")
    about = "the documentation site, on which all else is found ([tool.generator.fetch] in pyproject.toml)"
    fetching.add_argument("site", nargs="?", metavar="SITE", help=about)
    for name, what in (("openapi", "the description"), ("docs", "the navigation")):
        about = f"where {what} is, if it is not to be looked for: an https or file: address, or a path"
        fetching.add_argument(f"--{name}-url", metavar="URL", help=about)
    fetching.add_argument("--into", type=Path, default=OPENAPI.parent, metavar="DIR", help="the folder (specs)")
    changes = commands.add_parser("changes", parents=[config], help="tell what an update means for callers")
    for age, words in (("old", "before"), ("new", "after")):
        about = f"the descriptions {words}: a folder with openapi.json and docs.json, or a git revision of specs/"
        changes.add_argument(age, metavar=age.upper(), help=about)
    form = changes.add_mutually_exclusive_group()
    for name, words in (
        ("json", "as a JSON list"),
        ("markdown", "for the text of a pull request"),
        ("changelog", "the lines for CHANGELOG.md"),
    ):
        form.add_argument(f"--{name}", action="store_const", const=name, dest="form", default="text", help=words)
    form.add_argument(
        "--format",
        choices=("text", "json", "markdown", "changelog", "github", "junit"),
        dest="form",
        default="text",
        help="one of these forms; github: annotations on the lines of the description",
    )
    changes.add_argument(
        "--write-changelog",
        type=Path,
        metavar="FILE",
        help="write the lines since the last release anew, into the block of CHANGELOG.md that is kept for them",
    )
    changes.add_argument(
        "--fail-on",
        type=_kinds,
        action="extend",
        default=[],
        metavar="KIND,…",
        help="exit with 1 if a change is of one of these kinds, or `breaking`, or `any` at all; may be given again",
    )
    changes.add_argument(
        "--fail-on-breaking", action="append_const", const="breaking", dest="fail_on", help="as --fail-on breaking"
    )
    impact = commands.add_parser("impact", parents=[config], help="tell which lines of your code break by an update")
    impact.add_argument("code", type=Path, metavar="PATH", help="a folder of your code, or a file")
    impact.add_argument("old", nargs="?", default="HEAD", metavar="OLD", help="as of `changes` (HEAD)")
    impact.add_argument(
        "new", nargs="?", default=str(OPENAPI.parent), metavar="NEW", help="as of `changes` (specs/ of this project)"
    )
    impact.add_argument("--json", action="store_true", help="as a JSON list")
    return whole


def _kinds(text: str) -> list[str]:
    from generator.changes.change import VERDICTS  # noqa: PLC0415  # the other commands compare nothing

    wanted = [part.strip() for part in text.split(",")]
    for kind in wanted:
        if kind not in VERDICTS:
            raise argparse.ArgumentTypeError(f"{kind!r} is none of {', '.join(VERDICTS)}")
    return wanted
