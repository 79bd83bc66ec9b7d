"""Class → plan: what the annotations of a payload class say, read once."""

from __future__ import annotations

from dataclasses import MISSING, fields
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, get_args, get_type_hints

from .constraints import UNSET, Default, Unset

if TYPE_CHECKING:
    from collections.abc import Callable

    from .violations import Check, Rule


class Member(NamedTuple):
    """What is known of one field; UNSET stands for no default of the description, and for no constant."""

    name: str
    check: Check
    required: bool
    default: Any
    constant: Any

    def default_fits(self) -> bool:
        """Whether the default keeps the rules of its own schema."""
        from .checks import fits  # noqa: PLC0415  # on first use

        return fits(self.check, self.default)


Step: TypeAlias = "tuple[Any, str, Check, bool]"
"""What a field is called where its value comes from (None for what has no field), its name, check, and whether it must
be there."""


class Plan(NamedTuple):
    """What the annotations of a class say; `extra` is the check of what its schema leaves open, if it does."""

    by_wire: dict[str, Member]
    """The fields by the platform's names."""
    extra: Check | None
    from_fields: tuple[Step, ...]
    from_data: tuple[Step, ...]
    rules: tuple[Rule, ...]
    check: Callable[[Any], None]
    """`building.check`, and `building.convert` next: they are at hand as soon as there is a plan."""
    convert: Callable[[Any, object], Any]


class _Plans(dict[Any, Plan]):
    def __missing__(self, cls: Any) -> Plan:
        """Read the annotations of a class, once."""
        from .building import check, convert  # noqa: PLC0415  # a module with payloads is imported quickly without
        from .checks import compile_check  # noqa: PLC0415
        from .violations import rules_of  # noqa: PLC0415

        hints = hints_of(cls)
        by_wire: dict[str, Member] = {}
        for field in fields(cls):
            hint = hints[field.name]
            if field.name != "extra":
                by_wire[field.metadata.get("wire", field.name)] = Member(
                    name=field.name,
                    check=compile_check(hint),
                    required=Unset not in (hint, *get_args(hint)),
                    default=_default(hint),
                    constant=UNSET if field.default is MISSING else field.default,
                )
        extra = partial(_extra, compile_check(hints["extra"]), by_wire) if "extra" in hints else None
        steps: list[Step] = [(wire, item.name, item.check, item.required) for wire, item in by_wire.items()]
        if extra is not None:
            steps.append((None, "extra", extra, False))
        plan = self[cls] = Plan(
            by_wire=by_wire,
            extra=extra,
            from_fields=tuple((name, name, check, required) for _, name, check, required in steps),
            from_data=tuple(steps),
            rules=tuple(rules_of(cls.rules, "object")),
            check=check,
            convert=convert,
        )
        return plan


PLANS = _Plans()


def hints_of(cls: type) -> dict[str, Any]:
    """Give the annotations of a class and its bases with their metadata, each read in the module that wrote it."""
    return get_type_hints(cls, localns={}, include_extras=True)


def _default(hint: Any) -> Any:
    """Give the default of the description, UNSET if it has none: no check takes that."""
    metadata = [item for option in (hint, *get_args(hint)) for item in getattr(option, "__metadata__", ())]
    return next((item.value for item in metadata if isinstance(item, Default)), UNSET)


def _extra(check: Check, by_wire: dict[str, Member], value: Any) -> Any:
    """Check the members that a schema allows and does not name."""
    from .violations import Problem, RefusedError, plain_rule  # noqa: PLC0415  # on first use

    kept = check(value)
    for name in kept:
        if name in by_wire:
            message = f"{name!r} is a field of its own: pass {by_wire[name].name}=…"
            raise RefusedError(Problem(plain_rule("additionalProperties", message), name))
    return kept
