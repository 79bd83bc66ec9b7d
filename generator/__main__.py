"""`python -m generator`: fetch, generate, check, list, changes, impact."""

from __future__ import annotations

import sys

from . import rerun

last_run = None
if __name__ == "__main__":  # before the other imports: they take longer than a run that has nothing to do
    last_run = rerun.Stamp(sys.argv[1:])
    code = last_run.replay()
    if code is not None:
        sys.exit(code)

import gc
import json
import os
import signal

if last_run:
    gc.disable()  # what a run makes holds no circles, and looking for them takes an eighth of its time
if last_run and signal.getsignal(signal.SIGINT) == signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C between imports ends it without a trace

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

from .arguments import OPENAPI, ROOT, parser
from .diagnostics import Diagnostics, GeneratorError, counted, visible
from .inputs import documents, inferred
from .output import files, manifest
from .run import Inputs, files_of, read, require_models
from .settings import choices, module_names, settings
from .writing import ENDING, replace_files

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import FrameType

    from generator.inputs.fetch import Sources
    from generator.inputs.video_model import Selection
    from generator.output.classes import Module

    from .run import Found

OUT = ROOT / "generated" / "skills_video"
BAD_INPUT = 2


def main(arguments: Sequence[str] | None = None, stamp: rerun.Stamp | None = None) -> int:
    """Run a command and give its exit code: 0 well, 1 stale or, with `--strict`, warned; 2 bad input or usage.

    Ended by a signal, it is 128 and the number of that, as in a shell. `stamp` is what a run of `generate` leaves for
    the next one.
    """
    options = parser(__doc__).parse_args(arguments)
    diagnostics = Diagnostics()
    rerun.show_what_no_terminal_can()
    try:
        return _run(options, diagnostics, stamp)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt as error:
        [number] = error.args or [signal.SIGINT]
        print(f"error: ended by {signal.Signals(number).name}; the files are all old or all new", file=sys.stderr)
        return 128 + number
    except GeneratorError as error:
        _report(diagnostics)
        print(f"error: {error}", file=sys.stderr)
    except OSError as error:
        said = str(error)
        if error.filename is not None:
            said = f"{error.filename}: cannot be used: {error.strerror}; name another"
        print(f"error: {said}", file=sys.stderr)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == __package__:
            raise
        advice = "run `make setup`, and then `.venv/bin/python -m generator`"
        print(f"error: {error.name} is not installed for {sys.executable}; {advice}", file=sys.stderr)
    return BAD_INPUT


def _run(options: argparse.Namespace, diagnostics: Diagnostics, stamp: rerun.Stamp | None) -> int:
    if options.command == "changes":
        return _changes(options, diagnostics)
    if options.command == "impact":
        return _impact(options)
    if options.command == "fetch":
        return _fetch(options, diagnostics)
    return _make(options, diagnostics, stamp)


def _make(options: argparse.Namespace, diagnostics: Diagnostics, stamp: rerun.Stamp | None) -> int:
    inputs = _inputs(options)
    found = read(inputs, diagnostics)
    if options.command == "list":
        _list(found, inputs, as_json=options.json)
        require_models(found, inputs)
        return int(_is_refused(options, diagnostics))
    made, modules = files_of(found, inputs)
    out = options.out or OUT
    written = [(out, made)]
    if documents.real(out) == OUT:
        written.append((ROOT, _texts_beside(made, modules, found, inputs, diagnostics)))
    if options.command == "check" or options.strict:
        from generator import second_reader  # noqa: PLC0415  # what it asks takes longer to import than all else

        count = second_reader.compare(found.selection.models, found.descriptions, diagnostics)
        if options.command == "check":
            print(f"second reader: {count} classes agree", file=sys.stderr)
    if _is_refused(options, diagnostics):
        return 1
    if options.command == "generate" and options.openapi and options.out is None:
        _require_consent(options.openapi[0], made)
    if options.command == "check":
        return _check(written, out)
    return _generate(written, len(modules), diagnostics, stamp)


def _texts_beside(
    made: dict[str, str], modules: list[Module], found: Found, inputs: Inputs, diagnostics: Diagnostics
) -> dict[str, str]:
    """Give the texts beside the package of this repository, which is the only one that has some.

    The manifest of the package, among its files, then records them.
    """
    from generator.output import skill  # noqa: PLC0415  # other packages have none

    sources = inputs.openapi[0].parent / inferred.SOURCES
    texts = skill.texts_of(modules, found.offered, inferred.read(sources, found, inputs.names, diagnostics))
    made[manifest.MANIFEST] = manifest.with_texts(made[manifest.MANIFEST], texts)
    return {"README.md": skill.with_models(ROOT / "README.md", modules), **texts}


def _require_consent(openapi: Path, made: dict[str, str]) -> None:
    """Let no description of fewer models take the others away that nobody spoke of.

    Raises:
        GeneratorError: the package would lose modules, and is not named as what is to be written.
    """
    lost = files.stale(OUT, made)
    if lost:
        folder = OUT.relative_to(ROOT).as_posix()
        names = ", ".join(lost[:3])
        raise GeneratorError(
            f"{openapi.as_posix()} would take the place of all that {folder} is made from, and "
            f"{counted(len(lost), 'module')} would go ({names}, …); name another folder with --out, or say "
            f"--out {folder} if that is meant"
        )


def _is_refused(options: argparse.Namespace, diagnostics: Diagnostics) -> bool:
    """Print what was remarked, and tell whether that ends the run."""
    _report(diagnostics)
    if not (options.strict and diagnostics.warnings):
        return False
    print(f"error: {counted(len(diagnostics.warnings), 'warning')}, and --strict allows none", file=sys.stderr)
    return True


def _check(written: Sequence[tuple[Path, dict[str, str]]], out: Path) -> int:
    lines = [line for folder, texts in written for line in files.differences(folder, texts)]
    lines += [line for folder, texts in written for line in files.verdicts(folder, texts, out / manifest.MANIFEST)]
    sys.stdout.writelines(visible(line.removesuffix("\n")) + "\n" for line in lines)
    return int(bool(lines))


def _generate(
    written: Sequence[tuple[Path, dict[str, str]]], count: int, diagnostics: Diagnostics, stamp: rerun.Stamp | None
) -> int:
    contents = {path: data for folder, texts in written for path, data in files.contents(folder, texts).items()}
    lines: list[str] = []
    for path in replace_files(contents):
        if contents[path] is None:
            lines.append(f"  {path.name} (removed)")
        else:
            lines.append(f"  {path.name}")
    if stamp is not None:
        stamp.leave(f"{counted(count, 'model')}; 0 files changed", list(map(str, diagnostics.found)))
    print(f"{counted(count, 'model')}; {counted(len(lines), 'file')} changed", *lines, sep="\n")
    return 0


def _fetch(options: argparse.Namespace, diagnostics: Diagnostics) -> int:
    from generator.inputs import fetch  # noqa: PLC0415  # the other commands fetch nothing

    def select(openapi: tuple[Path, ...], docs: Path | None, remarks: Diagnostics) -> Selection:
        return read(Inputs(openapi, docs, options.config, optional=openapi[1:]), remarks).selection

    def say(text: str) -> None:
        print(visible(text), file=sys.stderr)

    names = module_names(options.config)
    about = options.into, _sources(options), choices(options.config), names
    changed = fetch.Fetching(*about, select, say, diagnostics).fetch()
    _report(diagnostics)
    print(f"{counted(len(changed), 'file')} changed", *(f"  {name}" for name in changed), sep="\n")
    return 0


def _sources(options: argparse.Namespace) -> Sources:
    """Take the addresses of the command line, and where it is silent those of pyproject.toml."""
    from generator.inputs.fetch import Sources  # noqa: PLC0415  # as above

    given = {"site": options.site, "openapi-url": options.openapi_url, "docs-url": options.docs_url}
    if not options.site:
        defaults = settings(options.config, "fetch")
        place = f"{options.config}: [tool.generator.fetch]"
        if unknown := sorted(defaults.keys() - given.keys()):
            raise GeneratorError(f"{place} says {', '.join(unknown)}, which means nothing; correct the name")
        given = {key: value or defaults.get(key) for key, value in given.items()}
        for key, value in given.items():
            if value is not None and not (isinstance(value, str) and value):
                raise GeneratorError(f"{place} {key} is {value!r}; an address is expected")
    sources = Sources(*given.values())
    if not sources.site and not (sources.openapi and sources.docs):
        raise GeneratorError(
            "no address is known to fetch from; give that of the documentation site, or --openapi-url and --docs-url, "
            "or set site below [tool.generator.fetch] in pyproject.toml"
        )
    return sources


def _changes(options: argparse.Namespace, diagnostics: Diagnostics) -> int:
    from generator.changes import accepted, changelog, ci, models, report, revisions  # noqa: PLC0415  # the others compare nothing

    old, new = revisions.both(options.old, options.new, options.config)
    found = [*models.compare(old, new), *models.compare_warnings(old, new)]
    found = accepted.accept(found, options.config, diagnostics)
    if options.write_changelog:
        changelog.write_in(options.write_changelog, options.old, new, options.config)
    forms: dict[str, Callable[..., str]] = {
        "changelog": changelog.as_changelog, "github": partial(ci.as_github, new=options.new),
        "json": report.as_json, "junit": ci.as_junit, "markdown": report.as_markdown, "text": report.as_text,
    }  # fmt: skip
    sys.stdout.write(forms[options.form](found))
    _report(diagnostics)
    return int(any(change.counts_as(wanted) for change in found for wanted in options.fail_on))


def _impact(options: argparse.Namespace) -> int:
    from generator.changes import impact, revisions  # noqa: PLC0415  # the other commands read no code

    old, new = revisions.both(options.old, options.new, options.config)
    found = impact.breaks(options.code, old, new)
    form = impact.as_text
    if options.json:
        form = impact.as_json
    sys.stdout.write(form(found))
    return int(bool(found))


def _list(found: Found, inputs: Inputs, *, as_json: bool) -> None:
    models, passed_over = found.selection.models, found.selection.passed_over
    if as_json:
        names = ("model", "module", "title", "stream", "create", "result")
        rows = [
            {name: getattr(model, name) for name in names} | {"source": inputs.names[model.file]} for model in models
        ]
        print(json.dumps({"models": rows, "passed_over": [asdict(item) for item in passed_over]}, indent=2))
        return
    width = max((len(model.model) for model in models), default=0)
    for model in models:
        print(visible(f"{model.model:<{width}}  {model.module}  ({model.title}; {inputs.names[model.file]})"))
    for item in passed_over:
        print(visible(f"passed over: {item.page}: {item.reason}"))


def _inputs(options: argparse.Namespace) -> Inputs:
    """Take the options, and where they are silent the files of the repository."""
    given: list[Path] = options.openapi or [documents.found_in(OPENAPI.parent, "openapi") or OPENAPI]
    if len(given) == 1:
        return Inputs.beside(given[0], options.docs, options.config)
    docs = options.docs or documents.found_in(given[0].parent, "docs")
    return Inputs(tuple(given), docs, options.config)


def _report(diagnostics: Diagnostics) -> None:
    for diagnostic in diagnostics.found:
        print(diagnostic, file=sys.stderr)


def _end(number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt(number)


if __name__ == "__main__":
    for name in ENDING:
        if signal.getsignal(getattr(signal, name)) != signal.SIG_IGN:
            signal.signal(getattr(signal, name), _end)
    sys.exit(main(stamp=last_run))
