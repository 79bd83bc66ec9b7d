"""The handwritten part of skills-video: payloads, clients, the life of a generation, errors. Imports nothing generated.

Each name is imported when it is first used, as most programs need few of them, and the first request needs httpx.
"""

# ruff: noqa: I001  # each module once, with all that is offered of it
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import webhooks as webhooks
    from .version import __version__ as __version__
    from .generations.retry import RetryPolicy as RetryPolicy
    from .client import (
        AsyncClient as AsyncClient,
        AsyncModelClient as AsyncModelClient,
        Client as Client,
        ModelClient as ModelClient,
    )
    from .payloads.constraints import (
        UNSET as UNSET,
        AnyOf as AnyOf,
        Array as Array,
        Default as Default,
        DependentRequired as DependentRequired,
        Deprecated as Deprecated,
        ExactlyOne as ExactlyOne,
        Finite as Finite,
        Format as Format,
        Ge as Ge,
        Gt as Gt,
        Json as Json,
        Le as Le,
        Lt as Lt,
        MaxLen as MaxLen,
        MaxProperties as MaxProperties,
        MinLen as MinLen,
        MinProperties as MinProperties,
        MultipleOf as MultipleOf,
        OneOf as OneOf,
        Pattern as Pattern,
        UniqueItems as UniqueItems,
        Unset as Unset,
        Uri as Uri,
    )
    from .catalog import Endpoint as Endpoint, ModelInfo as ModelInfo, Models as Models
    from .errors import (
        APIError as APIError,
        AuthenticationError as AuthenticationError,
        ConnectionFailed as ConnectionFailed,
        ContentRejected as ContentRejected,
        DownloadFailed as DownloadFailed,
        GenerationFailed as GenerationFailed,
        GenerationTimeout as GenerationTimeout,
        InsufficientCredits as InsufficientCredits,
        InvalidRequest as InvalidRequest,
        JournalUnavailable as JournalUnavailable,
        MissingAPIKey as MissingAPIKey,
        NotFound as NotFound,
        NotOffered as NotOffered,
        PayloadError as PayloadError,
        PermissionDenied as PermissionDenied,
        RateLimited as RateLimited,
        RecordUnusable as RecordUnusable,
        ServerError as ServerError,
        SkillsVideoError as SkillsVideoError,
        SubmissionUncertain as SubmissionUncertain,
        ValidationFailed as ValidationFailed,
        Violation as Violation,
    )
    from .payloads.file import File as File
    from .generations.media import MediaFile as MediaFile
    from .generations.states import Generation as Generation, Status as Status, Usage as Usage
    from .payloads.base import BaseObject as BaseObject, BasePayload as BasePayload, parse_payload as parse_payload
    from .batch import (
        AsyncBatch as AsyncBatch,
        Batch as Batch,
        Row as Row,
        RowsRefused as RowsRefused,
        SharedBatch as SharedBatch,
    )
    from .budget import BudgetExceeded as BudgetExceeded
    from .many import Result as Result
    from .planning import Loss as Loss, Planned as Planned, convert as convert
    from .generations.progress import Event as Event
    from .generations.records import Record as Record, Recovered as Recovered
else:
    from importlib import import_module

    _NAMES = {
        ".version": "__version__",
        ".generations.retry": "RetryPolicy",
        ".client": "AsyncClient AsyncModelClient Client ModelClient",
        ".payloads.constraints": "UNSET AnyOf Array Default DependentRequired Deprecated ExactlyOne Finite Format Ge "
        "Gt Json Le Lt MaxLen MaxProperties MinLen MinProperties MultipleOf OneOf Pattern UniqueItems Unset Uri",
        ".catalog": "Endpoint ModelInfo Models",
        ".errors": "APIError AuthenticationError ConnectionFailed ContentRejected DownloadFailed "
        "GenerationFailed GenerationTimeout InsufficientCredits InvalidRequest JournalUnavailable "
        "MissingAPIKey NotFound NotOffered PayloadError PermissionDenied RateLimited RecordUnusable ServerError "
        "SkillsVideoError SubmissionUncertain ValidationFailed Violation",
        ".payloads.file": "File",
        ".generations.media": "MediaFile",
        ".generations.states": "Generation Status Usage",
        ".payloads.base": "BaseObject BasePayload parse_payload",
        ".batch": "AsyncBatch Batch Row RowsRefused SharedBatch",
        ".budget": "BudgetExceeded",
        ".many": "Result",
        ".planning": "Loss Planned convert",
        ".generations.progress": "Event",
        ".generations.records": "Record Recovered",
    }
    _MODULES = {"webhooks"}
    _WHERE = {name: module for module, names in _NAMES.items() for name in names.split()}
    __all__ = sorted({*_WHERE, *_MODULES})  # noqa: PLE0605  # which is a list

    def __getattr__(name: str) -> object:
        """Import a public name, or a module of the package, when it is first used."""
        if name in _MODULES or f".{name}" in _NAMES:
            return import_module(f".{name}", __name__)
        if name not in _WHERE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_WHERE[name], __name__), name)
        return value

    def __dir__() -> list[str]:
        """List what a program is likely to name: all that is public but what annotations of payloads are made of."""
        return sorted(name for name in __all__ if name == "UNSET" or _WHERE.get(name) != ".payloads.constraints")
