"""The clients: the verbs, synchronous and asynchronous, with what they promise. `http/session.py` does them."""

# ruff: noqa: A002, ASYNC109  # ids and time-outs keep the names they have for the platform and in both clients

from __future__ import annotations

from contextlib import aclosing
from functools import partial
from types import FunctionType
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeVar, overload

from skills_video_runtime import catalog
from skills_video_runtime.downloads import MAX_BYTES
from skills_video_runtime.generations.progress import is_async, refuse_async
from skills_video_runtime.generations.retry import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine, Generator, Iterable, Mapping
    from pathlib import Path
    from typing import Unpack

    from skills_video_runtime.downloads.names import Overwrite
    from skills_video_runtime.downloads.save import Save
    from skills_video_runtime.generations.media import MediaFile
    from skills_video_runtime.generations.progress import OnEvent, OnState
    from skills_video_runtime.generations.records import Record, Recovered
    from skills_video_runtime.generations.states import Generation, Usage
    from skills_video_runtime.http.key_source import KeyGiver
    from skills_video_runtime.http.session import OnProgress, Session, Where
    from skills_video_runtime.many import Result
    from skills_video_runtime.options import (  # noqa: F401  # two are named in texts alone
        AsyncHTTP,
        Data,
        Generating,
        Streaming,
        Submitting,
        SyncHTTP,
        Tracing,
    )
    from skills_video_runtime.payloads.base import BasePayload

HTTP = TypeVar("HTTP")
T = TypeVar("T")
PayloadT = TypeVar("PayloadT", bound="BasePayload")
BASE_URL = "https://open.skills.video/api/v1"
PARALLEL = 4  # files of one download that are fetched at once


class _Base(Generic[HTTP]):
    """Everything but the verbs."""

    _session: Session

    def __init__(  # noqa: PLR0913  # each is a choice of its own
        self,
        api_key: str | KeyGiver | None = None,
        base_url: str | None = None,
        *,
        timeout: float = 900.0,
        poll_interval: float = 3.0,
        stream_idle_timeout: float = 120.0,
        retry: RetryPolicy = RetryPolicy(),  # noqa: B008  # frozen
        http_client: HTTP | None = None,
        on_lost_submission: Literal["raise", "resubmit"] = "raise",
        journal: Where | None = None,
        max_credits: float | None = None,
        headers: Mapping[str, str] | None = None,
        tracer: Tracing | None = None,
    ) -> None:
        """Make a client; nothing is sent, and no connection made.

        Args:
            api_key: The key; by default that of the environment variable SKILLS_VIDEO_API_KEY. A function is asked for
                it once for each request; its keys, which may change, are those of one workspace. That of an AsyncClient
                may be asynchronous.
            base_url: The address of the platform, https or loopback; by default that of SKILLS_VIDEO_BASE_URL, else
                https://open.skills.video/api/v1.
            timeout: Seconds that a call may take as a whole, unless it says otherwise.
            poll_interval: Seconds between two looks at a generation.
            stream_idle_timeout: Seconds for which a stream may be silent before the generation is polled instead, and
                for which the answer to a post is waited for. A stream is also left when a quarter of the call's time
                passes in silence, or when less time than that is left.
            retry: How requests are repeated after what is transient; polling goes on until the time is over.
            http_client: An HTTP client of your own, of httpx or httpx2: it is used, and not closed.
            on_lost_submission: What to do if the connection was lost before the id was told, and two looks at the
                running list show no such generation: "raise" SubmissionUncertain, or "resubmit", which may pay twice.
            journal: A file to record submissions in, of one client at a time; or `postgresql://…`, of any number.
            max_credits: Credits that the generations of this client may take, as far as the answers tell. A post after
                that raises `BudgetExceeded`; what was under way before it may go beyond.
            headers: Headers of your own, sent to the platform with each request, and to nobody else but for a
                `User-Agent`, which replaces `skills-video/VERSION`. Those that the client sets are refused.
            tracer: A tracer of OpenTelemetry, which gets a span for each generation. Without one nothing is traced.

        Raises:
            MissingAPIKey: There is no key, or it cannot be one.
            TypeError, ValueError: An argument is outside its range, or the address is neither https nor loopback.
        """
        from skills_video_runtime.generations.outcomes import Settings  # noqa: PLC0415
        from skills_video_runtime.http.addresses import platform_address  # noqa: PLC0415
        from skills_video_runtime.http.key_source import key_of  # noqa: PLC0415
        from skills_video_runtime.http.session import Session  # noqa: PLC0415  # a module of a model is imported quickly without

        asynchronous = isinstance(self, _AsyncVerbs)
        if not asynchronous and is_async(api_key):
            raise TypeError("api_key is an asynchronous function, which only an AsyncClient awaits")
        key = key_of(api_key, asynchronous=asynchronous)
        api_key = None
        key.check()
        if http_client is not None:
            from skills_video_runtime.http.library import check_client  # noqa: PLC0415  # who hands one in has httpx

            check_client(http_client, asynchronous=asynchronous)
        address = platform_address(base_url, BASE_URL)
        settings = Settings(timeout, poll_interval, stream_idle_timeout, retry, on_lost_submission)
        self._session = Session(address, key, settings, journal, http_client, asynchronous=asynchronous)
        self._session.make_files = files_of
        if max_credits is not None:
            from .budget import Budget  # noqa: PLC0415  # for who has one

            self._session.budget = Budget(max_credits)
        if headers is not None:
            from .http.own_headers import own_headers  # noqa: PLC0415  # as above

            self._session.headers = own_headers(headers)
        if tracer is not None:
            from .http.telemetry import check_tracer  # noqa: PLC0415  # as above

            self._session.tracer = check_tracer(tracer)

    @property
    def base_url(self) -> str:
        """The address of the platform that it asks."""
        return self._session.base_url

    def __repr__(self) -> str:
        """Tell the address, and never the key."""
        session = getattr(self, "_session", None)
        if session is None:
            return f"{type(self).__name__}()"
        return f"{type(self).__name__}({session.base_url!r})"


class _Verbs(Generic[PayloadT]):
    """What can be asked of the platform. May be shared by threads."""

    _session: Session
    _owned = True

    @property
    def _coroutines(self) -> _AsyncVerbs[PayloadT]:
        """The same verbs, which over a synchronous session never suspend."""
        return _AsyncVerbs(self._session)

    @overload
    def generate(self, payload: PayloadT, **options: Unpack[Generating]) -> Generation: ...
    @overload
    def generate(self: _Verbs[BasePayload], payload: str, data: Data, **options: Unpack[Generating]) -> Generation: ...
    def generate(
        self,
        payload: PayloadT | str,
        data: Data | None = None,
        *,
        key: str | None = None,
        timeout: float | None = None,
        on_state: OnState | None = None,
        on_event: OnEvent | None = None,
    ) -> Generation:
        """Make a generation and wait until it is finished.

        It is posted to the stream endpoint, and the stream kept open. It is polled only if the stream cannot be opened,
        breaks, falls silent or ends early. A payload with files goes to the create endpoint, and is polled.

        Args:
            payload: What to make. It may be the id or the module of a model, with the fields as `data`.
            data: The fields as plain data, by the platform's own names: `generate("kling-ai/kling-v2.6", {…})`. The
                catalog of `skills_video` builds the payload.
            key: A text of your own that names it in the client's journal, such as `row-17`. With a key that was used
                before, in whatever process, the generation of then is followed or given, and nothing is posted.
            timeout: Seconds that this may take, instead of the client's.
            on_state: Called with each new state, the last one included.
            on_event: Called with an `Event` for whatever the platform tells of the generation, also where that is no
                new state, such as its place in the queue.

        Returns:
            The generation, which is COMPLETED.

        Raises:
            PayloadError: The model does not take the data, or they hold the API key; nothing was sent.
            KeyError: No model has that id or module; the nearest are named.
            APIError: The platform refused; nothing was made, unless the error carries an id.
            ConnectionFailed: The platform could not be reached; nothing was made.
            SubmissionUncertain: A generation may have been made, and its id is not known.
            GenerationFailed: It ended as FAILED or CANCELED.
            GenerationTimeout: It was not finished in time; the error carries its id.
            OSError: A file of the payload cannot be read.
            ValueError: The key is that of another payload, or there is no journal for it.
        """
        return run(
            self._coroutines.generate(
                built(payload, data), key=key, timeout=timeout, on_state=on_state, on_event=on_event
            )
        )

    def generate_many(
        self,
        payloads: Iterable[PayloadT],
        *,
        limit: int = 8,
        timeout: float | None = None,
        on_event: OnEvent | None = None,
    ) -> Generator[Result[PayloadT], None, None]:
        """Make many generations, several at once, and give the result of each as it ends; errors are results too.

        A payload is taken from the iterable when there is room for it, so that it may be endless. Nothing is sent
        before the first result is asked for. Whoever leaves early, by Ctrl-C or `break`, gives up what is under way:
        these generations go on and are paid for, and a journal knows them. The log `skills_video` tells each, and so do
        the notes of what ended it.

        Args:
            payloads: What to make.
            limit: How many are under way at once, from 1 to 99: the running list of the platform shows 100.
            timeout: Seconds that each may take, instead of the client's.
            on_event: As of `generate`; `Event.index` tells of which payload. It is called from several threads.

        Raises:
            ValueError, TypeError: The limit is outside its range, or `payloads` is no iterable.
        """
        from .many import Many  # noqa: PLC0415  # for who makes many

        return Many(self._session, payloads, limit, timeout, on_event).in_threads(run)

    @overload
    def stream(self, payload: PayloadT, **options: Unpack[Streaming]) -> Generator[Generation, None, None]: ...
    @overload
    def stream(
        self: _Verbs[BasePayload], payload: str, data: Data, **options: Unpack[Streaming]
    ) -> Generator[Generation, None, None]: ...
    def stream(
        self,
        payload: PayloadT | str,
        data: Data | None = None,
        *,
        key: str | None = None,
        timeout: float | None = None,
        on_event: OnEvent | None = None,
    ) -> Generator[Generation, None, None]:
        """Make a generation and give each of its states once, whether streamed or polled; the last one is finished.

        Nothing is sent before the first state is asked for. Raises as `generate`, after the last state was given.
        """
        refuse_async("on_event", on_event)
        return iterate(self._coroutines.stream(built(payload, data), key=key, timeout=timeout, on_event=on_event))

    @overload
    def submit(self, payload: PayloadT, **options: Unpack[Submitting]) -> Generation: ...
    @overload
    def submit(self: _Verbs[BasePayload], payload: str, data: Data, **options: Unpack[Submitting]) -> Generation: ...
    def submit(
        self,
        payload: PayloadT | str,
        data: Data | None = None,
        *,
        key: str | None = None,
        timeout: float | None = None,
        journal: Where | None = None,
    ) -> Generation:
        """Make a generation and return as soon as its id is known; `wait` takes it from there, in any process.

        It is posted to the create endpoint, as leaving a stream early may mean anything to the platform. With a
        `journal` (by default the client's) the intent is recorded before the post and the id after it.

        Raises:
            JournalUnavailable: The intent could not be recorded; nothing was sent.
            SkillsVideoError: As `generate`, up to the id.
        """
        return run(self._coroutines.submit(built(payload, data), key=key, timeout=timeout, journal=journal))

    def wait(
        self, id: str, *, timeout: float | None = None, on_state: OnState | None = None, on_event: OnEvent | None = None
    ) -> Generation:
        """Poll a generation until it is finished, through all that is transient; raises as `generate`."""
        return run(self._coroutines.wait(id, timeout=timeout, on_state=on_state, on_event=on_event))

    def get(self, id: str) -> Generation:
        """Give the state of a generation as it is now, finished or not.

        Raises:
            NotFound: There is no such generation in the workspace of the key.
            APIError: The platform refused, or failed even after the retries.
            ConnectionFailed: The platform could not be reached.
        """
        return run(self._coroutines.get(id))

    def cancel(self, id: str, *, timeout: float | None = None) -> Generation:
        """Cancel a generation, and give its state after that; what was charged is the platform's to say.

        It may not be CANCELED yet, where the platform takes its time: `wait` tells. One that was finished before is
        given as it is. A journal is told of what is canceled.

        Raises:
            NotOffered: The platform describes no endpoint for it; nothing was sent.
            NotFound: There is no such generation in the workspace of the key.
            APIError: The platform refused, or failed even after the retries.
            ConnectionFailed: The platform could not be reached; it may be canceled even so.
        """
        return run(self._coroutines.cancel(id, timeout=timeout))

    def running(self, limit: int = 50, workspace: str | None = None) -> list[Generation]:
        """Give the queued and running generations: at most `limit` (1 to 100), of the key's workspace or another.

        Where the platform's description has another limit than 100, that holds.
        """
        return run(self._coroutines.running(limit, workspace))

    def credits(self) -> Usage:
        """Give the balance; the platform's API reference leaves the shape of the answer open, `raw` has all of it."""
        return run(self._coroutines.credits())

    def recover(self, journal: Where | None = None) -> list[Recovered]:
        """Finish what a journal knows to be begun: by its id, else by the running list.

        A submission without an id that the list does not show stays in the journal with SubmissionUncertain, and is
        posted anew only by a client with on_lost_submission="resubmit". Each has the client's timeout to itself.
        What another platform or key has made, and what cannot be read, is given with RecordUnusable and left alone.
        """
        return run(self._coroutines.recover(journal))

    def settle(self, key: int | str, id: str | None = None, *, journal: Where | None = None) -> None:
        """Settle an unfinished record of a journal: with the id of its generation it is known, without it is dropped.

        For a record that stays uncertain, once its owner has seen what became of it. `recover` gives the keys, follows
        what has an id, and gives no more of what was dropped. Nothing is sent.

        Raises:
            ValueError: There is no unfinished record with this key, it is of a call that is under way, or the id is
                none, or that of another record; or the key is a text that none can be, or the number of a record that
                has a key of yours.
            TypeError: The key is neither an int nor a text.
            JournalUnavailable: It cannot be written.
        """
        run(self._coroutines.settle(key, id, journal=journal))

    def history(self, journal: Where | None = None) -> list[Record]:
        """Give what a journal knows to be over, oldest first. Nothing is sent."""
        return run(self._coroutines.history(journal))

    def known(self, key: str, *, journal: Where | None = None) -> Record | None:
        """Give what a journal holds under a key of yours, or the id of a generation, whether it is over or not.

        Where a key of yours is the id of another generation, the key goes before the id. None where it holds nothing
        that may have made a generation. Nothing is sent.

        Raises:
            TypeError, ValueError: It is no text, or none that a key or an id can be.
        """
        return run(self._coroutines.known(key, journal=journal))

    def prune(self, older_than: float = 0.0, *, journal: Where | None = None) -> int:
        """Remove from a journal what is over for at least so many seconds, or since an unknown time.

        Nothing is sent. What is not over stays. A key of yours that named what is removed is free again.

        Returns:
            How many records were removed.
        """
        return run(self._coroutines.prune(older_than, journal=journal))

    def download(  # noqa: PLR0913  # each is a choice of its own
        self,
        generation_or_file: Generation | MediaFile,
        directory: Where,
        on_progress: OnProgress | None = None,
        *,
        max_bytes: int = MAX_BYTES,
        timeout: float | None = None,
        overwrite: Overwrite = "never",
        name: str | None = None,
        key: str | None = None,
    ) -> list[Path]:
        """Fetch the files of a generation, or one file, into a directory, which is made if need be.

        Args:
            generation_or_file: A finished generation, or one of its `videos`.
            directory: Where to put them.
            on_progress: Called with the file, the bytes received and the bytes in all, if known; several files are
                fetched at once, and it is called from several threads then.
            max_bytes: The most bytes that one file may have, 4 GiB unless told otherwise; what is larger is given up.
            timeout: Seconds that this may take. By default a file is fetched as long as bytes come, and given up after
                the client's time without one.
            overwrite: What becomes of a file that exists: "never" keeps it, and the new one gets "-1", "-2", … to its
                name; "skip" takes it for the new one; "replace" puts the new one in its place, once that is whole.
            name: What the files are called, as the platform names them unless told otherwise. The fields `{id}`,
                `{key}`, `{index}` (from 0), `{stem}` and `{suffix}` are filled in: `"{key}-{index}{suffix}"`.
            key: What `{key}` means.

        Returns:
            The paths, in the order of `videos`.

        Raises:
            DownloadFailed: A file could not be fetched whole; the others are there, and `saved` tells them. If the
                server gave it a tag, what has come of it stays in a hidden file, and the same call goes on from there,
                in any process.
            OSError: The disk would not take a file.
            TypeError, ValueError: The generation has no files, or an argument makes no sense.
        """
        from skills_video_runtime.downloads.save import Wishes, saved, saves_of  # noqa: PLC0415  # on first use
        from skills_video_runtime.threads import Threads  # noqa: PLC0415  # as above

        refuse_async("on_progress", on_progress)
        wishes = Wishes(max_bytes=max_bytes, timeout=timeout, overwrite=overwrite, name=name, key=key)
        saves = saves_of(self._session, generation_or_file, directory, on_progress, wishes)
        with Threads(PARALLEL) as pool:
            try:
                outcomes = [pool.submit(run, save.outcome()) for save in saves]
                return saved([outcome.result() for outcome in outcomes])
            except BaseException:  # such as Ctrl-C; after an error of a file, all have ended
                for save in saves:
                    save.give_up()
                raise

    def close(self) -> None:
        """End what is under way, and close the connections, unless they are of a client that was handed in.

        A call that another thread waits for raises ConnectionFailed, or SubmissionUncertain where it is open whether a
        generation was made, with the id as soon as that is known.
        """
        if self._owned:
            run(self._session.aclose())

    def __enter__(self) -> Self:
        """Use the client in a with statement, which closes it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the client."""
        self.close()


class _AsyncVerbs(Generic[PayloadT]):
    """What can be asked of the platform. May be shared by the tasks of event loops, of asyncio or trio."""

    _owned = True

    def __init__(self, session: Session) -> None:
        self._session = session

    @overload
    async def generate(self, payload: PayloadT, **options: Unpack[Generating]) -> Generation: ...
    @overload
    async def generate(
        self: _AsyncVerbs[BasePayload], payload: str, data: Data, **options: Unpack[Generating]
    ) -> Generation: ...
    async def generate(
        self,
        payload: PayloadT | str,
        data: Data | None = None,
        *,
        key: str | None = None,
        timeout: float | None = None,
        on_state: OnState | None = None,
        on_event: OnEvent | None = None,
    ) -> Generation:
        """As `Client.generate`; what `on_state` and `on_event` return is awaited if it can be."""
        self._session.key.refuse(key)
        made = built(payload, data)
        async with self._session.call(timeout, on_state=on_state, on_event=on_event, about=made) as call:
            return await call.last(call.generate(made, key))

    def generate_many(
        self,
        payloads: Iterable[PayloadT],
        *,
        limit: int = 8,
        timeout: float | None = None,
        on_event: OnEvent | None = None,
    ) -> AsyncGenerator[Result[PayloadT], None]:
        """As `Client.generate_many`, with tasks; within `contextlib.aclosing` it is left at once."""
        from .many import Many  # noqa: PLC0415  # for who makes many

        return Many(self._session, payloads, limit, timeout, on_event).in_tasks()

    @overload
    def stream(self, payload: PayloadT, **options: Unpack[Streaming]) -> AsyncGenerator[Generation, None]: ...
    @overload
    def stream(
        self: _AsyncVerbs[BasePayload], payload: str, data: Data, **options: Unpack[Streaming]
    ) -> AsyncGenerator[Generation, None]: ...
    async def stream(
        self,
        payload: PayloadT | str,
        data: Data | None = None,
        *,
        key: str | None = None,
        timeout: float | None = None,
        on_event: OnEvent | None = None,
    ) -> AsyncGenerator[Generation, None]:
        """As `Client.stream`; leave it early within `contextlib.aclosing`, so that the connection is closed at once."""
        self._session.key.refuse(key)
        made = built(payload, data)
        async with (
            self._session.call(timeout, on_event=on_event, about=made) as call,
            aclosing(call.generate(made, key)) as states,
        ):
            async for state in states:
                yield state

    @overload
    async def submit(self, payload: PayloadT, **options: Unpack[Submitting]) -> Generation: ...
    @overload
    async def submit(
        self: _AsyncVerbs[BasePayload], payload: str, data: Data, **options: Unpack[Submitting]
    ) -> Generation: ...
    async def submit(
        self,
        payload: PayloadT | str,
        data: Data | None = None,
        *,
        key: str | None = None,
        timeout: float | None = None,
        journal: Where | None = None,
    ) -> Generation:
        """As `Client.submit`."""
        self._session.key.refuse(key)
        made = built(payload, data)
        async with self._session.call(timeout, journal, about=made) as call:
            state = await call.submit(made, own_key=key)
            if not call.has_posted:  # it was begun before
                state = await call.get(state.id)
            await call.tell(state)
            return state

    async def wait(
        self, id: str, *, timeout: float | None = None, on_state: OnState | None = None, on_event: OnEvent | None = None
    ) -> Generation:
        """As `Client.wait`."""
        self._session.key.refuse(id)
        async with self._session.call(timeout, on_state=on_state, on_event=on_event, about=id) as call:
            return await call.last(call.wait(id))

    async def get(self, id: str) -> Generation:
        """As `Client.get`."""
        self._session.key.refuse(id)
        async with self._session.call(records=False) as call:
            return await call.get(id)

    async def cancel(self, id: str, *, timeout: float | None = None) -> Generation:
        """As `Client.cancel`."""
        from skills_video_runtime.generations.cancel import cancel  # noqa: PLC0415  # on first use

        self._session.key.refuse(id)
        async with self._session.call(timeout) as call:
            return await cancel(call, id)

    async def running(self, limit: int = 50, workspace: str | None = None) -> list[Generation]:
        """As `Client.running`."""
        self._session.key.refuse(workspace)
        async with self._session.call(records=False) as call:
            return await call.running(limit, workspace)

    async def credits(self) -> Usage:
        """As `Client.credits`."""
        async with self._session.call(records=False) as call:
            return await call.credits()

    async def recover(self, journal: Where | None = None) -> list[Recovered]:
        """As `Client.recover`."""
        from skills_video_runtime.generations import recovery  # noqa: PLC0415  # on first use

        async with self._session.call(journal=journal) as call:
            return await recovery.recover(call)

    async def settle(self, key: int | str, id: str | None = None, *, journal: Where | None = None) -> None:
        """As `Client.settle`."""
        from skills_video_runtime.generations import recovery  # noqa: PLC0415  # on first use
        from skills_video_runtime.generations.keyed import check_record  # noqa: PLC0415  # as above

        self._session.key.refuse(id)
        self._session.key.refuse(key)
        check_record(key)
        async with self._session.call(journal=journal) as call:
            await recovery.settle(call, key, id)

    async def history(self, journal: Where | None = None) -> list[Record]:
        """As `Client.history`."""
        async with self._session.call(journal=journal) as call:
            return await call.io.on_disk(call.kept.history)

    async def known(self, key: str, *, journal: Where | None = None) -> Record | None:
        """As `Client.known`."""
        from skills_video_runtime.generations.keyed import check_key  # noqa: PLC0415  # on first use
        from skills_video_runtime.generations.states import LONGEST_ID  # noqa: PLC0415  # as above

        self._session.key.refuse(key)
        check_key(key, LONGEST_ID)
        async with self._session.call(journal=journal) as call:
            return await call.io.on_disk(partial(call.kept.record_of, key))

    async def prune(self, older_than: float = 0.0, *, journal: Where | None = None) -> int:
        """As `Client.prune`."""
        async with self._session.call(journal=journal) as call:
            return await call.io.on_disk(partial(call.kept.prune, older_than))

    async def download(  # noqa: PLR0913  # as above
        self,
        generation_or_file: Generation | MediaFile,
        directory: Where,
        on_progress: OnProgress | None = None,
        *,
        max_bytes: int = MAX_BYTES,
        timeout: float | None = None,
        overwrite: Overwrite = "never",
        name: str | None = None,
        key: str | None = None,
    ) -> list[Path]:
        """As `Client.download`, with tasks in place of threads."""
        from skills_video_runtime.downloads.save import Wishes, saved, saves_of  # noqa: PLC0415  # on first use

        refuse_async("on_progress", on_progress)
        wishes = Wishes(max_bytes=max_bytes, timeout=timeout, overwrite=overwrite, name=name, key=key)
        saves = saves_of(self._session, generation_or_file, directory, on_progress, wishes)
        from anyio import CapacityLimiter, create_task_group  # noqa: PLC0415  # on first use

        limiter = CapacityLimiter(PARALLEL)
        outcomes: dict[Save, Path | Exception] = {}

        async def fetch(save: Save) -> None:
            async with limiter:
                outcomes[save] = await save.outcome()

        async with create_task_group() as group:
            for save in saves:
                group.start_soon(fetch, save)
        return saved(outcomes[save] for save in saves)

    async def close(self) -> None:
        """As `Client.close`."""
        if self._owned:
            await self._session.aclose()

    async def __aenter__(self) -> Self:
        """Use the client in an async with statement, which closes it."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the client."""
        await self.close()


class Client(_Base["SyncHTTP"], _Verbs["BasePayload"]):
    """A client of the platform whose calls return when they are done. It may be shared by threads."""


class AsyncClient(_Base["AsyncHTTP"], _AsyncVerbs["BasePayload"]):
    """A client of the platform for `await`, over asyncio or trio. The tasks of one event loop may share it."""


class ModelClient(_Verbs[PayloadT]):
    """A `Client` for the payloads of one model.

    It uses the client that it is given, which stays open, or else makes its own from the environment.
    """

    def __init__(self, client: Client | None = None) -> None:
        self._owned = client is None
        self._session = session_of(client or Client(), asynchronous=False)


class AsyncModelClient(_AsyncVerbs[PayloadT]):
    """As `ModelClient`, of an `AsyncClient`."""

    def __init__(self, client: AsyncClient | None = None) -> None:
        self._owned = client is None
        self._session = session_of(client or AsyncClient(), asynchronous=True)


def _show_as(public: type, *owners: type) -> None:
    """Have a TypeError about arguments name the class that its reader knows."""
    for owner in owners:
        for name, member in vars(owner).items():
            if isinstance(member, FunctionType):
                member.__qualname__ = f"{public.__name__}.{name}"


_show_as(Client, _Base, _Verbs)
_show_as(AsyncClient, _AsyncVerbs)


def session_of(client: object, *, asynchronous: bool | None = None) -> Session:
    """Give what the calls of a client share, or refuse, by TypeError, what is no client of the kind that is needed."""
    session: Session | None = getattr(client, "_session", None)
    if session is None or asynchronous not in {None, session.asynchronous}:
        name = {False: "a Client", True: "an AsyncClient", None: "a client"}[asynchronous]
        raise TypeError(f"client is {name} here, not of type {type(client).__name__}")  # it may be the key
    return session


def files_of(session: Session) -> Any:
    """Give what fetches single files, for the methods of `MediaFile`."""
    from skills_video_runtime.downloads.files import Files  # noqa: PLC0415  # on first use

    return Files(session, run)


def built(payload: Any, data: Data | None) -> Any:
    """Give a payload as it is, or build the one that the name of a model and plain data describe."""
    if data is None:
        return payload
    return catalog.parse(payload, data)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never suspends, as a synchronous client has. It needs no event loop, and disturbs none."""
    try:
        work.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    work.close()
    raise RuntimeError("a synchronous client cannot await: is an asynchronous function or HTTP client passed to it?")


def iterate(states: AsyncGenerator[T, None]) -> Generator[T, None, None]:
    """As `run`, for each thing that is given."""
    try:
        while True:
            try:
                yield run(states.__anext__())
            except StopAsyncIteration:
                return
    finally:
        run(states.aclose())
