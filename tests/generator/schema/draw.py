"""Draws values of every form, has jsonschema judge them, and keeps the verdicts: `make corpus`.

Another seed draws other values: `make corpus SEED=7`. Where a class says something else than jsonschema, that is told,
nothing is kept of the form, and the exit code is 1.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from skills_video_runtime import PayloadError
from tests.generator.schema import corpus
from tests.generator.schema.forms import COMPONENTS, FORMS
from tests.support.judge import judge, values
from tests.support.project import Project

if TYPE_CHECKING:
    from types import ModuleType

EXAMPLES = 300  # values that are drawn for each form; about half of them are drawn twice


def drawn(schema: Any, number: int) -> list[Any]:
    """Draw values of a schema, each once."""
    root = {**schema, "components": {"schemas": COMPONENTS}}
    found: dict[str, Any] = {}

    @seed(number)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def draw(data: Any) -> None:
        value = data.draw(values(schema, root))
        found.setdefault(json.dumps(value), value)

    draw()
    return list(found.values())


def judged(form: str, number: int) -> corpus.Verdicts:
    """Draw values of a form, and have them judged."""
    rules = judge(FORMS[form], components=COMPONENTS)
    allowed, refused = [], []
    for value in drawn(FORMS[form], number):
        (allowed if rules.is_valid(value) else refused).append(value)
    return corpus.Verdicts(corpus.digest(form), allowed, refused)


def disagreements(module: ModuleType, found: corpus.Verdicts) -> list[str]:
    """Tell of which values a class says something else."""
    wrong = [f"is allowed, and was not taken or given back: {value!r}" for value in found.allowed
             if taken(module, value) != [value]]  # fmt: skip
    return wrong + [f"is refused, and was taken: {value!r}" for value in found.refused if taken(module, value)]


def taken(module: ModuleType, value: Any) -> list[Any]:
    """Give what a payload gives back, if there is one."""
    try:
        return [module.parse(value).to_dict()]
    except PayloadError:
        return []


def main(number: int) -> int:
    """Draw, judge and keep all forms."""
    failures = 0
    corpus.FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()):
        modules = corpus.generate(Project(Path(folder)))
    for form in FORMS:
        found = judged(form, number)
        wrong = disagreements(modules[form], found)
        for line in wrong:
            sys.stderr.write(f"{form}: {line}\n")
        if not wrong:
            corpus.path(form).write_text(found.text(), "utf-8", newline="\n")
        failures += len(wrong)
    for file in corpus.FOLDER.glob("*.json"):
        if file.stem not in FORMS:
            file.unlink()
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main(int(*sys.argv[1:] or [0])))
