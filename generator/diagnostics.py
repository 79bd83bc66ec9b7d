"""What the generator has to say about its input."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


class GeneratorError(Exception):
    """Input or options with which the run cannot go on. Its text says what, where and what to do."""

    def __init__(self, message: str) -> None:
        """Take the text; what a terminal would not show of it is escaped."""
        super().__init__(visible(message))


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One remark on the input, with the file and the JSON pointer it is about."""

    file: str
    pointer: str
    message: str
    severity: Literal["warning", "note"] = "warning"
    """A warning makes `--strict` fail, a note does not."""

    def __str__(self) -> str:
        """File, pointer and message on one line, control characters made visible."""
        place = self.file
        if self.pointer:
            place += f"#{self.pointer}"
        return visible(f"{self.severity}: {place}: {self.message}")


@dataclass(slots=True)
class Diagnostics:
    """Gathers remarks, each once, so that one bad place never hides another."""

    found: dict[Diagnostic, None] = field(default_factory=dict["Diagnostic", None])
    count: int = 0
    """How often something was remarked, be it the same again."""

    def warn(self, file: str, pointer: str, message: str) -> None:
        """Add a warning."""
        self._add(Diagnostic(file, pointer, message))

    def note(self, file: str, pointer: str, message: str) -> None:
        """Add a note."""
        self._add(Diagnostic(file, pointer, message, "note"))

    def _add(self, diagnostic: Diagnostic) -> None:
        self.count += 1
        self.found.setdefault(diagnostic)

    @property
    def warnings(self) -> list[Diagnostic]:
        """The warnings alone."""
        return [diagnostic for diagnostic in self.found if diagnostic.severity == "warning"]


def counted(number: int, noun: str) -> str:
    """Write how many there are of something: `1 model`, `2 models`."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun}s"


def visible(text: str) -> str:
    """Escape what a terminal or an editor would not show: control characters, line ends, direction marks."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()
