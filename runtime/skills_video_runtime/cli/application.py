"""The commands, their options and their help, as typer reads them."""

# ruff: noqa: FBT002, PLR0913, PLR0917, TC001, TC003  # typer reads names, defaults and annotations when it is run
from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from skills_video_runtime.catalog import ModelInfo
from skills_video_runtime.choosing import Takes
from skills_video_runtime.downloads.names import Overwrite
from skills_video_runtime.errors import SkillsVideoError

from . import batch, completion
from .catalog import PRICES, Catalog, show_costs, show_models
from .command import Command, Json
from .exits import BAD_USAGE, OTHER, exit_code
from .failure import JSON_LINES, lost, tell
from .output import OutputLost, UsageProblem, complain, prepare, say, say_json, written

HELP_FLAGS = {"help_option_names": ["-h", "--help"]}
PASS_ON: dict[str, Any] = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}

TAKES = ", ".join(get_args(Takes))
HELP = """Make videos with the models of skills.video.

\b
skills-video doctor                     is all there that is needed?
skills-video models --search audio      which models are there?
skills-video show MODEL                 what does one take?
skills-video run MODEL "neon rain" --download out
"""

application = typer.Typer(
    context_settings=HELP_FLAGS, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True
)


command = partial(application.command, cls=Command)
application.add_typer(batch.application, name="batch")


Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL", help="Id, module, title, or a part that no other has.", autocompletion=completion.models
    ),
]
Id = Annotated[str, typer.Argument(metavar="ID", help="Id of the generation.")]
Variant = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Variant of the model, as `show` names it.", autocompletion=completion.variants),
]
Download = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Download the files into this directory, or as DIR/{key}.mp4.")
]
Open = Annotated[bool, typer.Option("--open", help="Open the video, once it is there.")]
Existing = Annotated[Overwrite, typer.Option("--overwrite", help="What becomes of a file that exists.")]
Timeout = Annotated[float, typer.Option(metavar="SECONDS", help="Time that it may take as a whole.")]
Interval = Annotated[float, typer.Option(metavar="SECONDS", help="Time between two looks at its state.")]
JsonLines = Annotated[bool, typer.Option(JSON_LINES, help="Print one JSON object a step, and nothing else.")]
JournalFile = Annotated[
    str | None, typer.Option(metavar="FILE", help="Record it in this file, or postgresql://…, for `recover`.")
]
JournalToNote = Annotated[
    str | None, typer.Option(metavar="FILE", help="The file that was given to run, to note there that it is over.")
]


def _version(wanted: bool) -> None:  # noqa: FBT001  # typer calls it so
    if wanted:
        from .doctor import version  # noqa: PLC0415  # only when asked

        say(f"skills-video {version('skills-video')}")
        raise typer.Exit


@application.callback(help=HELP)
def _about(
    version: Annotated[bool, typer.Option("--version", help="Show the version.", callback=_version)] = False,
) -> None:
    """See `HELP`."""


@command()
def doctor(as_json: Json = False) -> int:
    """Check key, address, versions and credits."""
    from .doctor import examine  # noqa: PLC0415  # each command loads what it needs

    return examine(as_json=as_json)


@command()
def models(
    context: typer.Context,
    search: Annotated[str, typer.Option(metavar="TEXT", help="Only models that have all of these words.")] = "",
    takes: Annotated[
        list[str] | None, typer.Option(metavar="WHAT", help=f"Only what takes this, once for each: {TAKES}.")
    ] = None,
    seconds: Annotated[float | None, typer.Option(metavar="N", help="Only what can be so long.")] = None,
    ratio: Annotated[str | None, typer.Option(metavar="W:H", help="Only what has this shape, such as 9:16.")] = None,
    resolution: Annotated[str | None, typer.Option(metavar="SIZE", help="Only what has this size: 1080p.")] = None,
    sound: Annotated[bool | None, typer.Option("--sound/--no-sound", help="Only what can make sound, or not.")] = None,
    endpoints: Annotated[bool, typer.Option("--endpoints", help="Show where each is posted to.")] = False,
    costs: Annotated[
        bool, typer.Option("--costs", help="Show what each took of your credits, the cheapest first.")
    ] = False,
    journal: Annotated[
        str | None, typer.Option(metavar="FILE", help="For --costs: the file that was given to run.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the models, and what each is chosen by.

    What the description of a model does not tell is no yes. Prices are at https://skills.video/pricing.
    """
    wish = {"takes": takes or (), "seconds": seconds, "ratio": ratio, "resolution": resolution, "sound": sound}
    if costs and journal is None:
        raise UsageProblem(f"--costs needs --journal FILE, the file that was given to run; prices are at {PRICES}")
    if journal is not None:
        show_costs(context.obj, journal, as_json=as_json, search=search, **wish)
        return
    show_models(context.obj, as_json=as_json, endpoints=endpoints, search=search, **wish)


@command()
def show(
    context: typer.Context,
    model: Model,
    errors: Annotated[
        bool, typer.Option("--errors", help="Show endpoints, errors and statuses instead of the fields.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show all fields of a model, and their limits.

    What several variants share is shown once. In JSON there is everything.
    """
    from .describe import show_model  # noqa: PLC0415  # as above

    show_model(context.obj, context.obj.find(model), as_json=as_json, errors=errors)


@command()
def template(context: typer.Context, model: Model, variant: Variant = None) -> None:
    """Print the start of a payload as JSON.

    It holds the required and the defaulted fields; null is to be replaced. Without --variant, it is that of the
    model's first variant.
    """
    say_json(context.obj.variants(context.obj.find(model), variant)[0].template())


@command()
def run(
    context: typer.Context,
    model: Model,
    texts: Annotated[
        list[str] | None, typer.Argument(metavar="PROMPT", help="What the video shows; the same as --prompt.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Set a field, once for each; @cat.png sends a file, @@ begins a text with @.",
            autocompletion=completion.settings,
        ),
    ] = None,
    payload: Annotated[
        str | None, typer.Option(metavar="FILE|-|JSON", help="The fields as a JSON object; --set goes on top.")
    ] = None,
    prompt: Annotated[str | None, typer.Option(metavar="TEXT", help="What the video shows.")] = None,
    variant: Variant = None,
    download: Download = None,
    opens: Open = False,
    overwrite: Existing = "never",
    timeout: Timeout = 900.0,
    poll_interval: Interval = 3.0,
    json_lines: JsonLines = False,
    no_stream: Annotated[bool, typer.Option("--no-stream", help="Poll from the start.")] = False,
    journal: JournalFile = None,
    key: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="Your own name for it in the journal: with the same one nothing is made anew."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check payload and options, send nothing, print the request.")
    ] = False,
) -> int:
    """Make a video and wait for it.

    Nothing is sent if a value is wrong. Ctrl-C leaves the id and the command that goes on waiting. The exit code is 0
    if it finished well, 1 for bad usage or no key, 3 if no id could be had, 10 if it failed, 11 out of time, 12 if its
    state is refused, 20 without credits, 21 for the key, 22 for the payload, 23 if not found, 24 if it may work later,
    25 for anything else, and 130 after Ctrl-C.
    """
    from . import generations  # noqa: PLC0415  # as above
    from .values import build, read_payload, read_prompt  # noqa: PLC0415

    catalog: Catalog = context.obj
    variants = catalog.variants(catalog.find(model), variant)
    built = build(variants, read_payload(payload) | read_prompt(variants, texts or (), prompt), settings or ())
    if key is not None and journal is None:
        raise UsageProblem("--key needs --journal FILE, which holds the keys")
    choices = generations.Choices(
        timeout, poll_interval, download, journal, not no_stream, json_lines, key, opens, overwrite
    )
    if dry_run:
        return generations.show_request(built, choices)
    return generations.run(built, choices)


@command()
def wait(
    generation_id: Id,
    download: Download = None,
    opens: Open = False,
    overwrite: Existing = "never",
    timeout: Timeout = 900.0,
    poll_interval: Interval = 3.0,
    json_lines: JsonLines = False,
    journal: JournalToNote = None,
) -> int:
    """Wait until a generation is finished, whoever made it."""
    from . import generations  # noqa: PLC0415  # as above

    choices = generations.Choices(
        timeout, poll_interval, download, journal, json_lines=json_lines, opens=opens, overwrite=overwrite
    )
    return generations.wait(generation_id, choices)


@command()
def get(generation_id: Id, as_json: Json = False) -> None:
    """Show the state of a generation as it is now."""
    from . import questions  # noqa: PLC0415  # as above

    questions.get(generation_id, as_json=as_json)


@command()
def cancel(
    generation_id: Id,
    journal: JournalToNote = None,
    as_json: Json = False,
) -> None:
    """Cancel a generation, and show its state after that.

    Works where the platform's description has an endpoint for it. What is finished already is shown as it is.
    """
    from . import questions  # noqa: PLC0415  # as above

    questions.cancel(generation_id, journal, as_json=as_json)


@command()
def running(
    limit: Annotated[int, typer.Option(metavar="N", help="At most so many, from 1 to 100.")] = 50,
    workspace: Annotated[str | None, typer.Option(metavar="ID", help="Another workspace than the key's.")] = None,
    as_json: Json = False,
) -> None:
    """Show what is queued or running."""
    from . import questions  # noqa: PLC0415  # as above

    questions.running(limit, workspace, as_json=as_json)


@command("credits")
def balance(as_json: Json = False) -> None:
    """Show how many credits are left."""
    from .questions import credits_left  # noqa: PLC0415  # as above

    credits_left(as_json=as_json)


@command()
def recover(
    journal: Annotated[str | None, typer.Option(metavar="FILE", help="The file that was given to run.")] = None,
    download: Download = None,
    overwrite: Existing = "never",
    timeout: Timeout = 900.0,
    poll_interval: Interval = 3.0,
    as_json: Json = False,
    forget: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY", help="Only drop this record, once for each, as its owner has settled it."),
    ] = None,
) -> int:
    """Finish what an earlier run had begun.

    After a crash or Ctrl-C, of runs with --journal FILE. With --download, a record is done once its files are there.
    """
    from . import generations, recovering  # noqa: PLC0415  # as above

    if journal is None:
        raise UsageProblem("recover needs --journal FILE, the file that was given to run --journal FILE")
    if forget:
        return recovering.forget(journal, forget)
    choices = generations.Choices(timeout, poll_interval, download, overwrite=overwrite)
    return recovering.recover(journal, choices, as_json=as_json)


@command("explain-error")
def explain_error(
    status: Annotated[int, typer.Option(metavar="N", help="Status of the answer, from 300 to 599.")],
    body: Annotated[str, typer.Option(metavar="JSON|TEXT", help="Body of the answer, as it came.")] = "",
    as_json: Json = False,
) -> int:
    """Explain an error of the platform.

    The exit code is that which a command would have that ended so.
    """
    from .explain import explain  # noqa: PLC0415  # as above

    return explain(status, body, as_json=as_json)


@command(context_settings=PASS_ON, add_help_option=False)
def sandbox(context: typer.Context) -> int:
    """Run a local stand-in for the platform."""
    from .local import sandbox as serve  # noqa: PLC0415  # as above

    return serve(context.args)


@command(context_settings=PASS_ON, add_help_option=False)
def mcp(context: typer.Context) -> int:
    """Serve the models to agents, by the Model Context Protocol."""
    from .local import mcp as serve  # noqa: PLC0415  # as above

    return serve(context.obj.models, context.obj.package, context.args)


def run_command(models: Sequence[ModelInfo], package: str, arguments: Sequence[str]) -> int:
    """Run a command and give its exit code."""
    prepare()
    try:
        with written():
            return _run(Catalog(models, package), arguments)
    except OutputLost as error:
        return lost(error)


def _run(catalog: Catalog, arguments: Sequence[str]) -> int:
    command = typer.main.get_command(application)
    try:
        return int(command.main(list(arguments), prog_name="skills-video", standalone_mode=False, obj=catalog) or 0)
    except typer.TyperException as error:
        if not arguments:  # the message is the help
            complain(error.format_message())
            return BAD_USAGE
        where = getattr(getattr(error, "ctx", None), "command_path", "skills-video")
        text = f"{error.format_message().rstrip('.')}. See: {where} --help".replace("?. ", "? ")
        return tell(UsageProblem(text), BAD_USAGE, arguments)
    except SkillsVideoError as error:
        return tell(error, exit_code(error), arguments)
    except (OutputLost, ModuleNotFoundError):
        raise
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # of what typer itself has written
            raise OutputLost(end.__context__) from end
        raise
    except (UsageProblem, OSError, ValueError) as error:
        return tell(_of_a_folder(error), BAD_USAGE, arguments)
    except Exception as error:  # noqa: BLE001  # a reader of JSON lines, and who paid, is told whatever happens
        return tell(error, OTHER, arguments)


def _of_a_folder(error: Exception) -> Exception:
    """Say what to do about a folder that is gone or cannot be made; any other error says so itself."""
    if isinstance(error, FileNotFoundError) and error.errno is not None and error.filename is None:
        return UsageProblem("the folder that this runs in is gone: go to one that is there, or name whole paths")
    if isinstance(error, (FileExistsError, NotADirectoryError)):
        return UsageProblem(f"{str(error.filename)!r:.200} can be no folder, as a file is in the way: name another one")
    return error
