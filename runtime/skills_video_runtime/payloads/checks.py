"""Shape → check, class → plan: compiled on first use, applied many times."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Never, Union, get_args, get_type_hints

from skills_video_runtime.json_values import FrozenMap, holds, is_array, is_mapping, is_number, json_key

from .constraints import UNSET, Default, Deprecated, ExactlyOne, MaxLen, Pattern, Unset, tests_of
from .file import File
from .nearest import closest, nearest
from .shapes import Shape, shape_of
from .violations import KINDS, WRONG, Kind, OfType, Problem, Problems, Stated, likeliest, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .constraints import Constraint, Test
    from .violations import Path, Take


@dataclass(slots=True)
class Check:
    """What a value must be.

    It is called with a value, the path to it, and the problems found so far. It gives the value as the payload keeps it
    (`5.0` as `5` for an integer, a list as a tuple, a mapping as its class), or adds to the problems what is wrong.
    """

    take: Take
    """What decides."""
    quick: Mapping[type, Sequence[Test]] = field(default_factory=dict[type, Any])
    """By the exact type of a value, tests that it passes only if it is allowed, and kept as it is."""

    def __call__(self, value: Any, path: Path, found: Problems) -> Any:
        """See above."""
        if self.passes(value):
            return value
        return self.take(value, path, found)

    def passes(self, value: object) -> bool:
        """Tell whether a value passes the quick tests; one that does not may be allowed all the same."""
        tests = self.quick.get(type(value))
        if tests is None:
            return False
        for test in tests:  # noqa: SIM110  # half the time of `all`, and run for every value
            if not test(value):
                return False
        return True

    def fits(self, value: Any) -> bool:
        """Tell whether a value is allowed."""
        found = Problems({})
        self(value, (), found)
        return not found


@dataclass(slots=True)
class Member:
    """What is known of one field."""

    name: str
    check: Check
    required: bool
    constant: Any
    """UNSET where there is none."""
    facts: dict[str, Any]
    """What is told and not asked, as JSON Schema has it: `default`, and `deprecated` if the field as a whole is."""
    shape: Shape


class Plan(NamedTuple):
    """What the annotations of a class say."""

    cls: type[Any]
    by_wire: Mapping[str, Member]
    """The fields by the platform's names."""
    extra: Member | None
    """All other members, if the schema takes any."""
    rules: Mapping[Constraint, Test]

    def check(self, instance: Any) -> None:
        """Check an instance whose fields hold what they were given; PayloadError tells all that is wrong."""
        _, found = _judge(self._check_fields, instance)
        if found:
            raise refusal(found, self.cls)

    def _check_fields(self, instance: Any, path: Path, found: Problems) -> None:
        for member in self.by_wire.values():
            value = getattr(instance, member.name)
            if value is UNSET:
                if member.required:
                    found.append(Problem(_REQUIRED, None, (*path, member.name)))
            elif not member.check.passes(value):
                _set(instance, member.name, member.check.take(value, (*path, member.name), found))
        if self.extra is not None and instance.extra is not UNSET:
            _set(instance, "extra", self.extra.check.take(instance.extra, (*path, "extra"), found))
        if not found:
            self.check_whole(instance, path, found)

    def build(self, data: Any, path: Path, found: Problems) -> Any:
        """Build an instance from plain data, its fields checked."""
        if not is_mapping(data):
            found.append(Problem(OfType("object"), data, path))
            return data
        instance = object.__new__(self.cls)
        for wire, member in self.by_wire.items():
            value = data.get(wire, UNSET)
            if value is UNSET:
                if member.required:
                    found.append(Problem(_REQUIRED, None, (*path, wire)))
            elif not member.check.passes(value):
                value = member.check.take(value, (*path, wire), found)
            _set(instance, member.name, value)
        unknown = {}
        if not data.keys() <= self.by_wire.keys():
            unknown = {name: value for name, value in data.items() if name not in self.by_wire}
        if self.extra is not None:
            _set(instance, "extra", UNSET)
            if unknown:
                _set(instance, "extra", self.extra.check.take(unknown, (*path, None), found))
            return instance
        for name, value in unknown.items():
            rule = Stated("additionalProperties", "is no field of {}", self.cls.__name__)
            found.append(Problem(rule, value, (*path, str(name)), partial(closest, str(name), self.by_wire)))
        return instance

    def check_whole(self, instance: Any, path: Path, found: Problems) -> None:
        """Add what is wrong with an object as a whole, its fields being right."""
        if not (self.rules or self.cls.one_of or self.cls.bodies):
            return
        given = instance.to_dict()
        if self.cls.bodies:
            _object(body_of(self.cls, given).cls, given, path, found)
        found += [Problem(rule, given, path) for rule, test in self.rules.items() if not test(given)]
        message = "the fields fit {} as well, where exactly one form is allowed"
        for plan in map(PLANS.__getitem__, rivals_of(self.cls)):
            problems = Problems(found.told)
            plan.build(given, path, problems)
            if not problems and all(test(given) for test in plan.rules.values()):
                found.append(Problem(Stated("oneOf", message, plan.cls.__name__), given, path))


def rivals_of(cls: type[Any]) -> list[type[Any]]:
    """Give the classes of which an object of a class must fit none, in the module that names them."""
    return [rival for rival in _named(cls, "one_of") if not issubclass(cls, rival)]


def bodies_of(cls: type[Any]) -> tuple[Plan, Plan, list[str]]:
    """Give the plans of what a payload must be as JSON and as a form, and the fields that only the form has."""
    json, form = (PLANS[body] for body in _named(cls, "bodies"))
    return json, form, [name for name in form.by_wire if name not in json.by_wire]


def body_of(cls: type[Any], given: Mapping[str, Any]) -> Plan:
    """Give the plan of what is posted, where JSON and form differ: fields of a payload decide that."""
    json, form, own = bodies_of(cls)
    if holds(File, given) or not given.keys().isdisjoint(own):
        return form
    return json


def _named(cls: type[Any], attribute: str) -> list[type[Any]]:
    home = next(base.__module__ for base in cls.__mro__ if attribute in vars(base))
    return [getattr(sys.modules[home], name) for name in getattr(cls, attribute)]


class _Plans(dict[type[Any], Plan]):
    def __missing__(self, cls: type[Any]) -> Plan:
        self[cls] = _plan_of(cls)
        return self[cls]


PLANS: Mapping[type[Any], Plan] = _Plans()
"""The plans of classes, each made on first use."""


def _plan_of(cls: type[Any]) -> Plan:
    hints = get_type_hints(cls, localns={}, include_extras=True)  # each is read in the module that wrote it
    by_wire = {item.metadata.get("wire", item.name): _member(item, hints[item.name]) for item in fields(cls)}
    extra = None
    if "extra" in hints:
        extra = by_wire.pop("extra")
        extra = replace(extra, check=Check(partial(_extra, extra.check, by_wire)))
    return Plan(cls, by_wire, extra, tests_of(cls.rules))


def _member(item: Field[Any], hint: Any) -> Member:
    shape, options, constant = shape_of(hint), (hint, *get_args(hint)), item.default
    if constant is MISSING:
        constant = UNSET
    facts: dict[str, Any] = {}
    for told in (told for option in options for told in getattr(option, "__metadata__", ())):
        if isinstance(told, Default):
            facts["default"] = told.value
        elif isinstance(told, Deprecated) and not told.operands:
            facts["deprecated"] = True
    return Member(item.name, compile_check(shape), Unset not in options, constant, facts, shape)


def parse(data: Any, variants: Sequence[type[Any]]) -> Any:
    """See `base.parse_payload`."""
    payload, found = attempt(data, variants)
    if found:
        raise refusal(found, *variants)
    return payload


def attempt(data: Any, variants: Sequence[type[Any]]) -> tuple[Any, Sequence[Problem]]:
    """Give the payload that plain data describes, and what is wrong with it: where anything is, it is of no use."""
    return _judge(partial(_any_of, [Check(partial(_object, cls)) for cls in variants]), data)


def _judge(take: Take, value: Any) -> tuple[Any, Sequence[Problem]]:
    found = Problems({})
    try:
        kept = take(value, (), found)
    except RecursionError:
        return None, [Problem(_TOO_DEEP, None, ())]
    return kept, found


def compile_check(shape: Shape) -> Check:
    """Compile what a shape asks of a value; TypeError where no payload has such a shape."""
    kind = shape.kind
    if kind is Any:
        return _JSON
    if kind is Union:
        return _union(shape)
    if kind in (Never, Unset):
        return _value(Stated("not", "no value is allowed here"), _among(()), ())
    if shape.choice is not None:
        return _value(shape.choice, _among(shape.choice.values), shape.rules)
    if kind not in KINDS and is_dataclass(kind):
        return Check(partial(_object, shape.kind))
    if kind not in KINDS:
        raise TypeError(f"{kind!r} is no annotation of a payload")
    parts = None
    if kind is list:
        parts = partial(_items, compile_check(shape.parts[0]))
    elif kind is Mapping:
        parts = partial(_members, compile_check(shape.parts[0]))
    return _value(OfType(KINDS[kind].name), KINDS[kind], shape.rules, parts)


def _value(first: Constraint, kind: Kind, metadata: Iterable[Any], parts: Take | None = None) -> Check:
    """Check the kind, then the rules, then the parts; `first` is what is said of a value of another kind."""
    rules = tests_of(metadata)

    def take(value: Any, path: Path, found: Problems) -> Any:
        kept = kind.read(value)
        broken = [first]
        if kept is not WRONG:
            broken = _broken(rules, kept)
        found += [Problem(rule, value, path, partial(nearest, [first, *rules], value, check.fits)) for rule in broken]
        if kept is WRONG or parts is None:
            return kept
        return parts(kept, path, found)

    check = Check(take, {exact: (*more, *rules.values()) for exact, more in kind.exact.items()})
    return check


def _broken(rules: Mapping[Constraint, Test], value: Any) -> list[Constraint]:
    """Give the rules that a value breaks. One that is too long is put to no pattern."""
    broken: list[Constraint] = []
    for rule, test in rules.items():
        is_too_long = isinstance(rule, Pattern) and any(isinstance(other, MaxLen) for other in broken)
        if not is_too_long and not test(value):
            broken.append(rule)
    return broken


def _among(values: Iterable[Any]) -> Kind:
    kept = {json_key(value): _JSON(value, (), Problems({})) for value in values}

    def read(value: Any) -> Any:
        return kept.get(json_key(value), WRONG)

    return Kind("", read, dict.fromkeys((str, int), (kept.__contains__,)))


def _union(shape: Shape) -> Check:
    checks = list(map(compile_check, shape.parts))
    if ExactlyOne() in shape.rules:
        return Check(partial(_exactly_one, checks))
    quick = dict(checks[0].quick)
    for check in checks[1:]:  # the first form that takes a fraction may keep it as an integer
        quick = {exact: tests for exact, tests in check.quick.items() if exact is not float} | quick
    return Check(partial(_any_of, checks), quick)


def _any_of(checks: Sequence[Check], value: Any, path: Path, found: Problems) -> Any:
    """Take a value as the first form that fits takes it; where none fits, tell what the likeliest one finds wrong."""
    failed: list[Problems] = []
    for check in checks:
        problems = Problems(found.told)
        kept = check(value, path, problems)
        if not problems:
            return kept
        failed.append(problems)
    found += likeliest(failed, len(path))
    return value


def _exactly_one(checks: Sequence[Check], value: Any, path: Path, found: Problems) -> Any:
    if hasattr(value, "to_dict"):
        value = value.to_dict()
    tried: list[tuple[Any, Problems]] = []
    for check in checks:
        problems = Problems(found.told)
        tried.append((check(value, path, problems), problems))
    kept = [result for result, problems in tried if not problems]
    if len(kept) == 1:
        return kept[0]
    if kept:
        message = "{value} fits {} forms of the schema, where exactly one is allowed"
        found.append(Problem(Stated("oneOf", message, len(kept)), value, path))
    else:
        for problem in likeliest([problems for _, problems in tried], len(path)):
            if problem.path == path:
                problem.nearest = partial(_in_one_form, checks, problem.nearest)
            found.append(problem)
    return value


def _in_one_form(checks: Sequence[Check], nearest: Callable[[], Any]) -> Any:
    """Give what is nearest in one form, if no second form takes it."""
    value = nearest()
    if [check.fits(value) for check in checks].count(True) == 1:
        return value
    return None


def _object(cls: type[Any], value: Any, path: Path, found: Problems) -> Any:
    """Build an object, once for each place: forms that hold each other meet there again and again."""
    if isinstance(value, cls):
        return value
    if (cls, path) not in found.told:
        problems = Problems(found.told)
        instance = PLANS[cls].build(value, path, problems)
        if not problems:
            PLANS[cls].check_whole(instance, path, problems)
        found.told[cls, path] = instance, problems
    instance, problems = found.told[cls, path]
    found += problems
    return instance


def _items(check: Check, value: Sequence[Any], path: Path, found: Problems) -> tuple[Any, ...]:
    if all(map(check.passes, value)):
        return tuple(value)
    return tuple([check(item, (*path, index), found) for index, item in enumerate(value)])


def _members(check: Check, value: Mapping[Any, Any], path: Path, found: Problems) -> Any:
    nameless = [name for name in value if not isinstance(name, str)]
    if nameless:
        found += [Problem(OfType("string, as a name is"), name, path) for name in nameless]
        return value
    return FrozenMap({name: check(item, (*path, name), found) for name, item in value.items()})


def _extra(check: Check, by_wire: Mapping[str, Member], value: Any, path: Path, found: Problems) -> Any:
    """Take the members that a schema allows and does not name."""
    before = len(found)
    kept = check(value, path, found)
    if len(found) == before:
        for name in (name for name in kept if name in by_wire):
            rule = Stated("additionalProperties", "{!r} is a field of its own: pass {}=…", name, by_wire[name].name)
            found.append(Problem(rule, name, path))
    return kept


def _json(value: Any, path: Path, found: Problems) -> Any:
    if is_array(value):
        return _items(_JSON, value, path, found)
    if is_mapping(value):
        return _members(_JSON, value, path, found)
    if not (value is None or isinstance(value, (str, bool)) or is_number(value)):
        found.append(Problem(OfType("a JSON value"), value, path))
    return value


_set = object.__setattr__
_JSON = Check(_json)
_REQUIRED = Stated("required", "is required")
_TOO_DEEP = Stated("type", "is nested too deeply, or holds itself")
