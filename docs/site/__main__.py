"""`python -m docs.site`: builds the site below build/site/html."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Final

from . import pages

BUILD: Final = pages.ROOT / "build" / "site"


def main() -> int:
    """Build the site, and tell where it is."""
    parser = argparse.ArgumentParser(prog="python -m docs.site", description=__doc__)
    parser.add_argument("--out", type=Path, default=BUILD, help="the folder to build in (default: build/site)")
    out: Path = parser.parse_args().out.resolve()
    pages.assemble(out / "source")
    done = _sphinx(out)
    if done:
        return done
    for page in (out / "source").rglob("*.md"):
        pages.write(out / "html" / page.relative_to(out / "source"), page.read_bytes())
    print(f"The site is {out / 'html'}; to look at it: {sys.executable} -m http.server -d {out / 'html'}")
    return 0


def _sphinx(out: Path) -> int:
    """Let Sphinx write the pages; a warning, such as a link that leads nowhere, is a fault."""
    options = ["-q", "-W", "--keep-going", "-b", "html", "-c", str(Path(__file__).parent), "-d", str(out / "doctrees")]
    command = [sys.executable, "-m", "sphinx", *options, str(out / "source"), str(out / "html")]
    return subprocess.run(command, check=False).returncode  # noqa: S603  # a list, and nothing from outside


if __name__ == "__main__":
    sys.exit(main())
