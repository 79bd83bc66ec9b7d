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
    from collections.abc import Iterator
    from types import ModuleType

EXAMPLES = 300  # values that are drawn for each form; about half of them are drawn twice
STARTS = 3  # of those that are allowed, as many have members of the others put in
VARIED = 8  # of what is allowed then, each with other members, as many have each thing in them varied
AMBIGUOUS = {"body-any-of-over-one-of"}
"""Forms of which jsonschema allows the members of two options together, since it closes their union, and a class does
not, since it closes each option. Values with members of both are left out.
"""
LONGEST = 120  # characters of JSON that such a value has at most


def drawn(schema: Any, number: int) -> list[Any]:
    """Draw values of a schema."""
    root = {**schema, "components": {"schemas": COMPONENTS}}
    found: list[Any] = []

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
        found.append(data.draw(values(schema, root)))

    draw()
    return found


def neighbours(value: Any) -> Iterator[Any]:
    """Give values with one thing varied in one that is allowed: what is drawn is mostly refused for several reasons."""
    yield None
    match value:
        case dict():
            yield {**value, "surplus": 1}
            for name, item in value.items():
                yield {key: other for key, other in value.items() if key != name}
                yield from ({**value, name: other} for other in neighbours(item))
        case list():
            yield value[:-1]
            yield [*value, *value[-1:]]
            yield value[:1] * len(value)
            for index, item in enumerate(value):
                yield from ([*value[:index], other, *value[index + 1 :]] for other in neighbours(item))
        case str():
            yield from (f"{value}x", value[:-1], value.upper(), [value])
        case bool():
            yield from (not value, int(value), str(value))
        case int() | float():
            yield from (value - 1, value + 1, value + 0.5, float(value), str(value))


def crossed(found: list[Any], starts: list[Any]) -> Iterator[Any]:
    """Give values that are allowed with a member of another value put in: few of those drawn have many members."""
    members = {json.dumps([name, item]): (name, item) for value in found if isinstance(value, dict)
               for name, item in value.items()}  # fmt: skip
    for start in starts:
        yield from ({**start, name: item} for text, (name, item) in sorted(members.items()) if len(text) <= LONGEST)


def judged(form: str, number: int) -> corpus.Verdicts:
    """Draw values of a form, and others around them, and have them judged."""
    rules = judge(FORMS[form], components=COMPONENTS)
    found = distinct(drawn(FORMS[form], number))
    objects = [value for value in found if isinstance(value, dict) and rules.is_valid(value)]
    starts = [] if form in AMBIGUOUS else objects[:STARTS]
    wider = [value for value in crossed(found, starts) if rules.is_valid(value)]
    by_names = {tuple(sorted(value)): value for value in distinct([*wider, *objects])}
    starts = [value for value in by_names.values() if len(json.dumps(value)) <= LONGEST]
    around = [other for value in starts[:VARIED] for other in neighbours(value)]
    allowed, refused = [], []
    for value in distinct([*found, *wider, *around]):
        (allowed if rules.is_valid(value) else refused).append(value)
    return corpus.Verdicts(corpus.digest(form), allowed, refused)


def distinct(found: list[Any]) -> list[Any]:
    """Give each value once, the shortest first, in an order that does not depend on how they were found."""
    texts = {json.dumps(value): value for value in found}
    return [texts[text] for text in sorted(texts, key=lambda text: (len(text), text))]


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
