"""`python -m docs.site`: writes docs/models/, and builds the site below build/site/html."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Final

from generator.diagnostics import GeneratorError

from . import browser, feed, history, models, pages

BUILD: Final = pages.ROOT / "build" / "site"


def main() -> int:
    """Build the site, and tell where it is."""
    parser = argparse.ArgumentParser(prog="python -m docs.site", description=__doc__)
    parser.add_argument("--out", type=Path, default=BUILD, help="the folder to build in (default: build/site)")
    out: Path = parser.parse_args().out.resolve()
    try:
        told = _models(out)
    except GeneratorError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    done = _sphinx(out)
    if done:
        return done
    _beside(out, told)
    _form(out)
    print(f"The site is {out / 'html'}; to look at it: {sys.executable} -m http.server -d {out / 'html'}")
    return 0


def _models(out: Path) -> list[models.Model]:
    """Write the pages of the models, and put all pages where Sphinx reads them."""
    ages = history.read(out / "ages")
    told = [models.model_of(page, ages) for page in models.read_pages()]
    models.write_pages(told)
    pages.assemble(out / "source", [model.page.module for model in told])
    return told


def _beside(out: Path, told: list[models.Model]) -> None:
    """Put beside the pages what is read by programs: their Markdown, data of models, the feed, and llms.txt."""
    for page in (out / "source").rglob("*.md"):
        pages.write(out / "html" / page.relative_to(out / "source"), page.read_bytes())
    for path in models.FOLDER.glob("*.js*"):
        pages.write(out / "html" / "models" / path.name, path.read_bytes())
    shown = [model.page for model in told]
    pages.write(out / "html" / "changes.xml", feed.atom(told[0].history, shown))
    pages.write(out / "html" / "llms.txt", pages.llms(shown).encode())


def _form(out: Path) -> None:
    """Put beside the pages what the form runs on; without it, the pages still read."""
    static = out / "html" / "_static"
    pages.write(static / "skills_video.zip", browser.library())
    try:
        browser.unpack(browser.PYODIDE, out / "npm", static / "pyodide")
    except browser.UnavailableError as error:
        print(f"The form cannot be opened on this site: {error}", file=sys.stderr)


def _sphinx(out: Path) -> int:
    """Let Sphinx write the pages; a warning, such as a link that leads nowhere, is a fault."""
    home = str(Path(__file__).parent)
    options = ["-q", "-W", "--keep-going", "-j", "2", "-b", "html", "-c", home, "-d", str(out / "doctrees")]
    options += ["-D", f"menu={pages.outline(out / 'source')}"]
    command = [sys.executable, "-m", "sphinx", *options, str(out / "source"), str(out / "html")]
    return subprocess.run(command, check=False).returncode  # noqa: S603  # a list, and nothing from outside


if __name__ == "__main__":
    sys.exit(main())
