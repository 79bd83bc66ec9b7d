"""What jsonschema said of values of each form, kept as data: drawn and judged once, by `make corpus`."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.generator.schema.forms import COMPONENTS, FORMS
from tests.support.project import Project, description

if TYPE_CHECKING:
    from types import ModuleType

FOLDER = Path(__file__).parent / "verdicts"


@dataclass(frozen=True)
class Verdicts:
    """The values of a form that are allowed and that are refused; the digest tells of which schema this is true."""

    digest: str
    allowed: list[Any]
    refused: list[Any]

    def text(self) -> str:
        """Write them with one value on a line. JSON as Python has it keeps 5.0 apart from 5, and lone surrogates."""
        allowed, refused = (",\n".join(map(json.dumps, values)) for values in (self.allowed, self.refused))
        digest = json.dumps(self.digest)
        return f'{{\n"digest": {digest},\n"allowed": [\n{allowed}\n],\n"refused": [\n{refused}\n]\n}}\n'


def digest(form: str) -> str:
    """Tell apart a form from what it was, and its components from what they were."""
    return hashlib.sha256(json.dumps([FORMS[form], COMPONENTS]).encode()).hexdigest()


def path(form: str) -> Path:
    """Name the file of a form."""
    return FOLDER / f"{form}.json"


def read(form: str) -> Verdicts:
    """Read what is kept of a form; fails where it is not about the form as it is."""
    assert path(form).is_file(), f"nothing is known of {form}: run make corpus"
    verdicts = Verdicts(**json.loads(path(form).read_text("utf-8")))
    assert verdicts.digest == digest(form), f"{form} is not what it was when its values were judged: run make corpus"
    return verdicts


def generate(project: Project) -> dict[str, ModuleType]:
    """Generate all forms at once, and import them."""
    project.write(description({f"acme/{form}": schema for form, schema in FORMS.items()}, COMPONENTS))
    assert project.run() == 0
    return {form: project.load(f"acme_{form.replace('-', '_')}") for form in FORMS}
