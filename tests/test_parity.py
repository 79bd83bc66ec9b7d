"""The synchronous and the asynchronous client are one: names, signatures, fronts of models, imports."""

from __future__ import annotations

import inspect
import sys
import threading
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from skills_video_runtime.client import AsyncClient, AsyncModelClient, Client, ModelClient
from skills_video_runtime.generations.retry import RetryPolicy
from skills_video_runtime.generations.states import MediaFile
from tests.support.callers import Payload
from tests.support.children import finished
from tests.support.scripted import (
    KEY,
    RESULT,
    STREAM,
    Scripted,
    answer,
    chunk,
    events,
    frame,
    state,
    stream_head,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PAIRS = [(Client, AsyncClient), (ModelClient, AsyncModelClient)]
VERBS = {"generate", "stream", "submit", "wait", "get", "running", "credits", "recover", "download", "close"}
VERBS |= {"settle", "history", "known", "prune", "generate_many", "cancel"}
ONE_BY_ONE = {"stream", "generate_many"}


def public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")} - {"base_url"}


@pytest.mark.parametrize("pair", PAIRS)
def test_both_have_the_same_names(pair: tuple[type, type]) -> None:
    assert public(pair[0]) == public(pair[1]) == VERBS


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("name", sorted(VERBS))
def test_both_have_the_same_signatures(pair: tuple[type, type], name: str) -> None:
    one, other = (inspect.signature(getattr(kind, name)) for kind in pair)
    assert list(one.parameters.values()) == list(other.parameters.values())
    if name in ONE_BY_ONE:
        assert (one.return_annotation[:10], other.return_annotation[:15]) == ("Generator[", "AsyncGenerator[")
        return
    assert one.return_annotation == other.return_annotation
    assert inspect.iscoroutinefunction(getattr(pair[1], name))


def test_both_are_made_in_the_same_way() -> None:
    parameters = inspect.signature(Client).parameters
    assert parameters == inspect.signature(AsyncClient).parameters
    defaults = {name: item.default for name, item in parameters.items()}
    assert defaults["timeout"] == 900.0
    assert (defaults["poll_interval"], defaults["stream_idle_timeout"]) == (3.0, 120.0)
    assert (defaults["retry"].attempts, defaults["on_lost_submission"]) == (6, "raise")


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize(
    "wrong",
    [
        {"timeout": 0},
        {"poll_interval": -1},
        {"stream_idle_timeout": 0},
        {"on_lost_submission": "x"},
        {"timeout": float("nan")},
    ],
)
def test_what_makes_no_sense_is_refused_at_once(kind: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        kind(KEY, **wrong)


def test_importing_the_client_loads_nothing_that_it_does_not_need_yet() -> None:
    heavy = {
        "httpx",
        "httpx_sse",
        "asyncio",
        "sqlite3",
        "pydantic",
        "anyio",
        "trio",
        "email",
        "ssl",
        "concurrent.futures",
    }
    code = (
        "import sys, skills_video_runtime.client as c; c.Client('k'); c.AsyncClient('k');"
        f"found = {heavy!r} & set(sys.modules); assert not found, found"
    )
    finished([sys.executable, "-c", code], check=True)


def test_importing_a_model_loads_nothing_that_only_a_client_needs() -> None:
    heavy = {f"skills_video_runtime.{name}" for name in ("errors", "generations.states", "http", "payloads.checks")}
    code = f"import sys, skills_video.kling_v2_6; found = {heavy!r} & set(sys.modules); assert not found, found"
    finished([sys.executable, "-c", code], check=True)


def test_a_models_own_client_shares_the_connections_of_the_client_it_is_given(server: Scripted) -> None:
    names = count(1)

    def at_once(_: object) -> Any:
        return [stream_head() + chunk(frame(state("COMPLETED", f"gen_{next(names)}"))) + b"0\r\n\r\n"]

    server.on(STREAM, at_once).on(RESULT, answer(200, state("COMPLETED")))
    with Client(KEY, server.base) as client:
        with ModelClient[Payload](client) as front:
            assert front.generate(Payload()).id == "gen_1"
            assert front.get("gen_1").status == "COMPLETED"
        assert client.generate(Payload()).id == "gen_2"
        assert client.get("gen_1").status == "COMPLETED"
    assert server.accepted == 3  # one for each post, and one for all looks


def test_a_models_own_client_closes_what_it_made_itself(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKILLS_VIDEO_API_KEY", KEY)
    monkeypatch.setenv("SKILLS_VIDEO_BASE_URL", server.base)
    server.on(RESULT, answer(200, state("COMPLETED")))
    with ModelClient[Payload]() as front:
        front.get("gen_1")
    assert server.wait_closed()


def test_threads_share_a_client(server: Scripted) -> None:
    numbers = count()
    server.on(STREAM, lambda _: events(state("COMPLETED", f"gen_{next(numbers)}")))
    results: list[str] = []
    with Client(KEY, server.base) as client:
        threads = [
            threading.Thread(target=lambda: results.append(client.generate(Payload()).status)) for _ in range(50)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert results == ["COMPLETED"] * 50


@pytest.mark.parametrize("given", [0, -1, float("nan"), float("inf"), 1e300, True, "5", None])
def test_a_time_that_is_none_is_refused_before_anything_is_sent(server: Scripted, given: Any) -> None:
    for name in ("timeout", "poll_interval", "stream_idle_timeout"):
        with pytest.raises(ValueError, match=name):
            Client(KEY, server.base, **{name: given})
    with Client(KEY, server.base) as client:
        for verb in (lambda **more: client.generate(Payload(), **more), lambda **more: client.wait("gen_1", **more)):
            if given is not None:
                with pytest.raises(ValueError, match="timeout"):
                    verb(timeout=given)
    assert server.requests == []


@pytest.mark.parametrize("wrong", [{"attempts": 2.5}, {"attempts": 0}, {"attempts": True}, {"initial": float("nan")}])
def test_a_retry_policy_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="attempts"):
        RetryPolicy(**wrong)


@pytest.mark.parametrize("limit", [0, 101, True, 2.5])
def test_a_limit_that_the_platform_does_not_know_is_refused(server: Scripted, limit: Any) -> None:
    with Client(KEY, server.base) as client, pytest.raises(ValueError, match="limit"):
        client.running(limit)
    assert server.requests == []


@pytest.mark.parametrize("workspace", ["", "..", "\ud800", "a\nb", "w" * 600, 5])
def test_what_is_no_workspace_is_refused(server: Scripted, workspace: Any) -> None:
    with Client(KEY, server.base) as client, pytest.raises(ValueError, match="is no id of a workspace"):
        client.running(workspace=workspace)
    assert server.requests == []


@pytest.mark.parametrize("given", ["gen_1", None, 5, ["https://a.example/v.mp4"]])
def test_what_is_no_generation_is_not_downloaded(given: Any, tmp_path: Path) -> None:
    with Client(KEY) as client, pytest.raises(TypeError, match=r"client\.get\(id\) gives a generation"):
        client.download(given, tmp_path)


WRONG_CALLS: dict[str, Callable[[], object]] = {
    "Client.generate": lambda: Client(KEY).generate(),  # type: ignore[call-arg]
    "Client.wait": lambda: Client(KEY).wait(),  # type: ignore[call-arg]
    "Client.download": lambda: ModelClient[Payload](Client(KEY)).download(5),  # type: ignore[arg-type,call-arg]
    "Client.__init__": lambda: Client(unknown=1),  # type: ignore[call-arg]
    "ModelClient.__init__": lambda: ModelClient[Payload](1, 2),  # type: ignore[arg-type,call-arg]
    "AsyncClient.submit": lambda: AsyncClient(KEY).submit(),  # type: ignore[call-arg]
    "AsyncClient.stream": lambda: AsyncModelClient[Payload](AsyncClient(KEY)).stream(),  # type: ignore[call-arg]
}


@pytest.mark.parametrize("name", WRONG_CALLS)
def test_an_error_about_arguments_names_what_its_reader_knows(name: str) -> None:
    with pytest.raises(TypeError, match=rf"^{name}\(\) "):
        WRONG_CALLS[name]()


async def awaited(*_: object) -> None:
    """Do nothing that needs no loop."""


class Awaited:
    async def __call__(self, _: object) -> None:
        """As above."""


@pytest.mark.parametrize("hook", [awaited, Awaited(), partial(awaited, 1), "no function"])
def test_a_synchronous_client_refuses_at_once_what_must_be_awaited(hook: Any, server: Scripted, tmp_path: Path) -> None:
    with Client(KEY, server.base) as client:
        for work in (
            lambda: client.generate(Payload(), on_state=hook),
            lambda: client.wait("gen_1", on_state=hook),
            lambda: client.download(MediaFile(f"{server.base}/v.mp4"), tmp_path, hook),
            lambda: ModelClient(client).generate(Payload(), on_state=hook),
        ):
            with pytest.raises(TypeError, match="must be a plain function"):
                work()
    assert server.requests == []


@pytest.mark.parametrize(
    ("front", "given"),
    [
        (ModelClient, AsyncClient(KEY, "https://platform.example")),
        (AsyncModelClient, Client(KEY, "https://platform.example")),
        (ModelClient, AsyncModelClient(AsyncClient(KEY, "https://platform.example"))),
        *((front, given) for front in (ModelClient, AsyncModelClient) for given in (KEY, 5, Client)),
    ],
)
def test_a_client_of_one_model_takes_a_client_of_its_own_kind(front: Any, given: Any) -> None:
    with pytest.raises(TypeError, match=r"^client is an? (Async)?Client here, not of type ") as caught:
        front(given)
    assert KEY not in str(caught.value)
