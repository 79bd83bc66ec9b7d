"""All models side by side: a table that is read without JavaScript, and the data that its filters go by."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from generator.output.render import spans

from .writing import cell, code

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.output.pages import Page

COLUMNS: Final = ("model", "takes", "seconds", "resolutions", "ratios", "sound", "payloads", "deprecated")
SOUND: Final = {True: "yes", False: "no", None: ""}
YES: Final = {True: "yes", False: ""}

ABOUT: Final = """# Compare models

An empty cell means that the platform's description does not tell; where a filter asks, such a model
is left out, as `skills-video models` leaves it out. Each name leads to the page of the model. What a
model costs is shown at <https://skills.video/pricing>.

## All models
"""


def markdown(pages: Sequence[Page]) -> str:
    """Give the page with the table."""
    rows = [f"| {' | '.join(_row(page))} |" for page in pages]
    return "\n".join([ABOUT, f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|", *rows, ""])


def _row(page: Page) -> list[str]:
    facts = page.capabilities
    return [
        f"[{cell(page.title)}]({page.module}.md)",
        ", ".join(facts.takes),
        cell(spans(facts.durations)),
        cell(", ".join(map(str, facts.resolutions))),
        cell(", ".join(map(str, facts.aspect_ratios))),
        SOUND[facts.makes_sound],
        ", ".join(code(form.name) for form in page.variants),
        YES[page.deprecated],
    ]


def as_script(pages: Sequence[Page]) -> str:
    """Give what filters go by as a script, which a browser loads from a disk as well; one entry for each row."""
    rows: list[dict[str, Any]] = [
        {
            "module": page.module,
            "takes": page.capabilities.takes,
            "seconds": page.capabilities.durations,
            "resolutions": page.capabilities.resolutions,
            "ratios": page.capabilities.aspect_ratios,
            "sound": page.capabilities.makes_sound,
            "deprecated": page.deprecated,
        }
        for page in pages
    ]
    return f"skillsVideoModels = {json.dumps(rows)};\n"
