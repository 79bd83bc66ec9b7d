"""`show` and `template`: what a model takes and answers, read from its module."""

from __future__ import annotations

import json
from inspect import cleandoc
from typing import TYPE_CHECKING, Any

from skills_video_runtime.classify import BY_CODE, BY_STATUS
from skills_video_runtime.errors import APIError, InvalidRequest, ServerError
from skills_video_runtime.generations.states import FINISHED, WORDS, Status
from skills_video_runtime.payloads.checks import PLANS
from skills_video_runtime.payloads.constraints import UNSET, DependentRequired
from skills_video_runtime.payloads.json_schema import texts_of

from .annotations import allowed, in_words
from .catalog import model_facts
from .output import paragraph, say_json

if TYPE_CHECKING:
    from skills_video_runtime.catalog import ModelInfo
    from skills_video_runtime.payloads.base import BaseObject
    from skills_video_runtime.payloads.constraints import ObjectRule

    from .catalog import Catalog

CODE = "VIDEO_GENERATION_"
MEANINGS = {
    "FAILED": "The generation failed at the provider of the model.",
    "TIMEOUT": "The generation took too long at the provider of the model.",
    "PROVIDER_UNAVAILABLE": "The provider of the model is not available.",
    "UNSUPPORTED_MODEL": "The platform does not support the model.",
    "INVALID_INPUT": "The input is not valid.",
}


def show_model(catalog: Catalog, info: ModelInfo, *, as_json: bool, errors: bool) -> None:
    """Show the fields of a model, or its endpoints, errors and statuses; as JSON, all of them."""
    classes: list[type[BaseObject]] = list(catalog.variants(info))
    objects: list[dict[str, Any]] = []
    for cls in classes:  # grows by the objects inside
        fact, inside = _class_facts(cls)
        objects.append(fact)
        classes += [other for other in inside if other not in classes]
    count = len(info.variants)
    facts = {
        **model_facts(info),
        "variants": objects[:count],
        "objects": objects[count:],
        "error_codes": [
            *({"code": f"{CODE}{code}", "status": None, **error_facts(kind, code)} for code, kind in BY_CODE.items()),
            *({"code": None, "status": status, **error_facts(kind)} for status, kind in _by_status().items()),
        ],
        "statuses": [
            {
                "status": status.value,
                "finished": status in FINISHED,
                "also": [word for word, meant in WORDS.items() if meant == status and word != status.value],
            }
            for status in Status
        ],
    }
    if as_json:
        say_json(facts)
    elif errors:
        _show_errors(facts)
    else:
        _show(facts)


def error_facts(kind: type[APIError], code: str | None = None) -> dict[str, Any]:
    """Give what an error means, as JSON, by its code if that tells more."""
    meaning = MEANINGS.get((code or "").upper().rpartition("GENERATION_")[2])
    meaning = meaning or (kind.__doc__ or "").partition("\n")[0]
    return {"category": kind.category, "meaning": meaning, "what_to_do": kind.guidance, "try_again": kind.retryable}


def _by_status() -> dict[str, type[APIError]]:
    known = {str(status): kind for status, kind in BY_STATUS.items()}
    return {"400": InvalidRequest, **known, "5xx": ServerError}


def _class_facts(cls: type[BaseObject]) -> tuple[dict[str, Any], list[type[BaseObject]]]:
    plan, texts = PLANS[cls], texts_of(cls.__module__).get(cls.__name__, {})
    inside: list[type[BaseObject]] = []
    facts: list[dict[str, Any]] = []
    for wire, field in plan.by_wire.items():
        what = allowed(field.shape)
        inside += what.objects
        facts.append(
            {
                "name": wire,
                "type": what.kind,
                "required": field.required,
                "limits": what.limits,
                "default": field.facts.get("default"),
                "deprecated": field.facts.get("deprecated", False),
                "constant": None if field.constant is UNSET else field.constant,
                "text": " ".join(texts.get(field.name, "").split()),
            }
        )
    if plan.extra is not None:
        inside += allowed(plan.extra.shape).objects
    text = " ".join(cleandoc(cls.__doc__ or "").partition("\n\nArgs:\n")[0].split())
    rules = [_rule(rule) for rule in cls.rules]
    return {"name": cls.__name__, "text": text, "open": plan.extra is not None, "rules": rules, "fields": facts}, inside


def _rule(rule: ObjectRule) -> dict[str, Any]:
    if isinstance(rule, DependentRequired):
        return {"rule": "dependentRequired", "field": rule.name, "value": list(rule.required)}
    return {"rule": rule.keyword_for(dict), "value": rule.operands[0]}


def _show(facts: dict[str, Any]) -> None:
    """Show what is asked for a payload: what all variants have once, then what each has of its own."""
    paragraph(facts["title"])
    paragraph(f"{facts['id']} (module {facts['module']}): {facts['text']}".removesuffix(": "))
    if facts["deprecated"]:
        paragraph("Deprecated: the platform advises against this model.")
    variants: list[dict[str, Any]] = facts["variants"]
    common: dict[str, dict[str, Any]] = {}
    if len(variants) > 1:
        common = _common(variants)
        names = ", ".join(item["name"] for item in variants)
        paragraph(f"{names} have in common, unless they say otherwise:", before=1)
    for field in common.values():
        _show_field(field)
    for item in (*variants, *facts["objects"]):
        paragraph(f"{item['name']}: {item['text']}".removesuffix(": "), before=1)
        known = {}
        if item in variants:
            known = common
        for field in item["fields"]:
            if field != known.get(field["name"]):
                _show_field(field, known.get(field["name"]))
        for rule in item["rules"]:
            paragraph(_in_words(rule), 2)
        if item["open"]:
            paragraph("Fields of other names are sent as they are.", 2)
    paragraph(f"Endpoints, errors, statuses: skills-video show {facts['module']} --errors", before=1)


def _common(variants: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Give the fields that all variants have, each as most of them have it."""
    having = [{field["name"]: field for field in item["fields"]} for item in variants]
    common: dict[str, dict[str, Any]] = {}
    for name in having[0]:
        forms = [fields[name] for fields in having if name in fields]
        if len(forms) == len(variants):
            common[name] = max(forms, key=forms.count)
    return common


def _show_field(field: dict[str, Any], common: dict[str, Any] | None = None) -> None:
    """Show a field on a line, and its text below, unless that was told of what variants have in common."""
    about = [field["type"], in_words(field["limits"])]
    if field["constant"] is not None:
        about = [f"always {json.dumps(field['constant'])}"]
    elif field["default"] is not None:
        about.append(f"default {json.dumps(field['default'], ensure_ascii=False)}")
    if field["required"]:
        about.append("required")
    elif common is not None and common["required"]:
        about.append("not required")
    paragraph(f"{field['name']}  {', '.join(filter(None, about))}", 2, name=field["name"])
    if field["text"] and (common is None or common["text"] != field["text"]):
        paragraph(field["text"], 6)


def _show_errors(facts: dict[str, Any]) -> None:
    paragraph(f"{facts['title']} ({facts['id']})")
    for name, verb in {"stream": "POST", "create": "POST", "result": "GET"}.items():
        if facts["endpoints"][name]:
            paragraph(f"{name}  {verb} {facts['endpoints'][name]}", 2)
    paragraph("Errors", before=1)
    for error in facts["error_codes"]:
        category = error["category"]
        if error["try_again"]:
            category += ", may be tried again"
        paragraph(f"{error['code'] or error['status']}  {category}", 2)
        paragraph(error["meaning"], 6)
    paragraph("Statuses", before=1)
    for item in facts["statuses"]:
        words = [item["status"], *item["also"]]
        if item["finished"]:
            words.append("which is the last state")
        paragraph(", ".join(words), 2)


def _in_words(rule: dict[str, Any]) -> str:
    if rule["rule"] == "dependentRequired":
        return f"Where {rule['field']} is given, {', '.join(rule['value'])} must be given too."
    most_or_least = {"minProperties": "At least", "maxProperties": "At most"}[rule["rule"]]
    return f"{most_or_least} {rule['value']} fields must be given."
