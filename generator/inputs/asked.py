"""What a description says of how one operation is called: parameters, keys, servers, headers, its body."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from generator.diagnostics import GeneratorError
from generator.json_values import array_of, escape, is_object, object_of, text_of

from .paths import route

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .description import Description, Operation

ALWAYS_SENT: Final = ("header accept", "header authorization", "header content-type")
"""Headers of every call, which OpenAPI itself passes over ("Parameter Object", `name`)."""

BEARER: Final = "a bearer token"
MULTIPART: Final = "multipart/form-data"
URLENCODED: Final = "application/x-www-form-urlencoded"
"""The media types of forms."""


class Parameter(NamedTuple):
    """A parameter, and where it is described."""

    pointer: str
    value: dict[str, Any]

    @property
    def is_required(self) -> bool:
        """Whether a call without it is refused."""
        return self.value.get("required") is True


@dataclass(frozen=True, slots=True)
class Body:
    """A form in which a request body may be sent: where its schema is to stand, and what is said of it."""

    description: Description
    pointer: str
    media_type: str
    said: dict[str, Any]

    @property
    def is_form(self) -> bool:
        """Whether it is a form."""
        return self.media_type in (MULTIPART, URLENCODED)

    @property
    def is_of_use(self) -> bool:
        """Whether it is JSON or a form, and has a schema."""
        return "schema" in self.said and (self.is_form or re.fullmatch(r".*[/+]json", self.media_type) is not None)


@dataclass(frozen=True)
class Asked:
    """An operation in its description."""

    description: Description
    operation: Operation

    @property
    def path_item(self) -> str:
        """The pointer of what its path has for all methods."""
        return self.operation.pointer.rpartition("/")[0]

    def own(self, name: str) -> Any:
        """Give what the operation says, else None."""
        return object_of(self.description.at(self.operation.pointer)).get(name)

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """The parameters by place and name, `header x-tenant`; those of the operation go before those of its path."""
        found: dict[str, Parameter] = {}
        for above in (self.path_item, self.operation.pointer):
            for index, item in enumerate(array_of(self.description.at(f"{above}/parameters"))):
                pointer, value = self._followed(item, f"{above}/parameters/{index}")
                name = f"{value.get('in')} {value.get('name')}"
                if value.get("in") == "header":
                    name = name.lower()
                if name not in ALWAYS_SENT:
                    found[name] = Parameter(pointer, value)
        return found

    @property
    def bases(self) -> list[str]:
        """The addresses that it is below: its own servers, else those of its path, else those of the description."""
        levels = self.own("servers"), object_of(self.description.at(self.path_item)).get("servers")
        servers = next(filter(None, (*levels, self.description.document.get("servers"))), [{"url": "/"}])
        urls = [_with_variables(server) for server in array_of(servers)]
        path = self.operation.path
        return [f"{url.rstrip('/')}{path}".removesuffix(route(path)) or "/" for url in urls]

    @property
    def keys(self) -> list[str]:
        """The ways to be let in, in words; none where anybody is."""
        security = self.own("security")
        if security is None:
            security = self.description.document.get("security")
        ways = [" and ".join(map(self._key, object_of(item))) for item in array_of(security)]
        return [way or "no key" for way in ways]

    def _key(self, name: str) -> str:
        components = object_of(self.description.document.get("components"))
        scheme = object_of(object_of(components.get("securitySchemes")).get(name))
        match scheme.get("type"), text_of(scheme.get("scheme")).lower():
            case "http", "bearer":
                return BEARER
            case "http", other:
                return f"HTTP {other}"
            case "apiKey", _:
                return f"a key in the {scheme.get('in')} {scheme.get('name')}"
            case _:
                return name

    @property
    def headers(self) -> dict[str, list[str]]:
        """The headers of its answers in lower case, with the statuses that have them."""
        found: dict[str, list[str]] = {}
        for status, item in object_of(self.own("responses")).items():
            _, response = self._followed(item, "")
            for name in object_of(response.get("headers")):
                found.setdefault(name.lower(), []).append(status)
        return found

    @property
    def media_types(self) -> list[str]:
        """The media types that a body may have that is posted; forms are told by the files that they take."""
        if self.operation.method != "post":
            return []
        return [body.media_type for body in self.bodies if body.media_type != MULTIPART]

    @property
    def bodies(self) -> list[Body]:
        """The bodies that it takes.

        Raises:
            GeneratorError: a reference leads nowhere.
        """
        pointer, body = self.description.follow(self.own("requestBody"), f"{self.operation.pointer}/requestBody")
        found: list[Body] = []
        for name, item in object_of(object_of(body).get("content")).items():
            place, said = self.description.follow(item, f"{pointer}/content/{escape(name)}")
            media_type = name.partition(";")[0].strip().lower()
            found.append(Body(self.description, f"{place}/schema", media_type, object_of(said)))
        return found

    @property
    def body(self) -> tuple[str, Any]:
        """The schema of its JSON body behind its pointer; None where it has none."""
        for body in self.bodies:
            if body.is_of_use and not body.is_form:
                return body.pointer, body.said["schema"]
        return f"{self.operation.pointer}/requestBody", None

    def _followed(self, value: Any, pointer: str) -> tuple[str, dict[str, Any]]:
        """Follow a reference; what leads nowhere says nothing."""
        try:
            pointer, value = self.description.follow(value, pointer)
        except GeneratorError:
            return pointer, {}
        return pointer, object_of(value)


def find_operation(descriptions: Sequence[Description], method: str, path: str) -> Asked | None:
    """Look an operation up: in the model-scoped descriptions, the last one first, then in the platform's."""
    for description in (*reversed(descriptions[1:]), descriptions[0]):
        operation = description.operation(method, path)
        if operation is not None:
            return Asked(description, operation)
    return None


def _with_variables(server: Any) -> str:
    """Give the address of a server, its variables at their defaults (OpenAPI, "Server Variable Object")."""
    url = text_of(object_of(server).get("url"))
    variables: Mapping[str, Any] = object_of(object_of(server).get("variables"))
    for name, variable in variables.items():
        if is_object(variable):
            url = url.replace(f"{{{name}}}", text_of(variable.get("default")))
    return url
