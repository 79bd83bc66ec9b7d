"""What the tools of the MCP server do, asked by the SDK's own client against the sandbox."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import anyio
import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import ElicitResult

from skills_video import AsyncClient, capabilities, catalog
from skills_video_runtime.agents.desk import Choices, Desk
from skills_video_runtime.capabilities import Capabilities, OnGeneration
from skills_video_runtime.cli.catalog import Catalog
from skills_video_runtime.sandbox import Sandbox
from tests.agents.transcript import transcript
from tests.support.agents import PAYLOAD, WISH, TakesTasks, ask, links_of, serving, text_of

TOOLS = {"find_models", "describe_model", "check_payload", "generate", "get_generation", "download", "account"}
FREE = TOOLS - {"generate", "download"}
SPECS = Path(__file__).parents[2] / "specs" / "openapi.json"
SLOW = "slow:100000"


def other(prompt, **fields):
    return {"model": "kling_v2_6", "payload": {**PAYLOAD, "prompt": prompt, **fields}}


def test_seven_tools_take_little_room(sandbox, tmp_path):
    async def look():
        async with serving(tmp_path) as client:
            return await client.list_tools()

    tools = anyio.run(look).tools
    assert {tool.name for tool in tools} == TOOLS
    told = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]
    assert len(json.dumps(told)) <= 4000
    assert {tool.name for tool in tools if tool.annotations.read_only_hint} == FREE
    assert {tool.name for tool in tools if tool.annotations.idempotent_hint} == TOOLS - {"generate"}
    assert all(tool.annotations.destructive_hint is False for tool in tools if tool.name not in FREE)


def test_models_are_found_and_described_and_payloads_checked_for_free(sandbox, tmp_path):
    async def look():
        async with serving(tmp_path) as client:
            found = await client.call_tool("find_models", {"takes": ["image"], "seconds": 10, "ratio": "9:16"})
            none = await client.call_tool("find_models", {"ratio": "wide?"})
            text = await client.call_tool("describe_model", {"model": "kling 2.6"})
            listed = await client.list_resources()
            same = await client.read_resource("skills-video://models/kling_v2_6")
            with pytest.raises(MCPError, match="nothing"):
                await client.read_resource("skills-video://models/nothing")
            wrong = await client.call_tool("check_payload", {**WISH, "payload": {"duration": 7, "resolutoin": "a"}})
            right = await client.call_tool("check_payload", WISH)
            return found, none, text, listed, same, wrong, right

    before = sandbox.requests.total()
    found, none, text, listed, same, wrong, right = anyio.run(look)
    assert sandbox.requests.total() == before
    assert "kling-ai/kling-v2.6" in {model["id"] for model in found.structured_content["models"]}
    assert none.is_error
    assert len(listed.resources) == 31
    assert same.contents[0].text == text_of(text)
    assert "motion-control" in text_of(text)
    told = {item["path"]: item["nearest"] for item in wrong.structured_content["violations"]}
    assert not wrong.is_error
    assert {"duration", "prompt"} <= set(told)
    assert right.structured_content == {
        "ok": True, "model": "kling-ai/kling-v2.6", "variant": "TextImageToVideo", "not_in_schema": []
    }  # fmt: skip


def test_a_misspelt_field_is_refused_even_where_a_schema_lets_others_pass(sandbox, tmp_path, made):
    async def work():
        async with serving(tmp_path) as client:
            return await client.call_tool("generate", other("rain", aspect_ratoi="9:16"))

    refused = anyio.run(work)
    assert refused.is_error
    [violation] = refused.structured_content["violations"]
    assert (violation["path"], violation["nearest"]) == ("aspect_ratoi", "aspect_ratio")
    assert made() == 0


def test_a_video_is_made_once_and_given_again_unless_another_is_asked_for(sandbox, tmp_path, made):
    progress = []

    async def tell(*told):
        progress.append(told)

    async def work():
        async with serving(tmp_path) as client:
            first = await client.call_tool("generate", WISH, progress_callback=tell)
            second = await client.call_tool("generate", WISH)
            third = await client.call_tool("generate", {**WISH, "again": True})
            fourth = await client.call_tool("generate", WISH)
            saved = await client.call_tool("download", {"id": first.structured_content["id"]})
            twice = await client.call_tool("download", {"id": first.structured_content["id"]})
            return first, second, third, fourth, saved, twice

    first, second, third, fourth, saved, twice = anyio.run(work)
    ids = [result.structured_content["id"] for result in (first, second, third, fourth)]
    assert made() == 2
    assert ids[0] == ids[1] != ids[2] == ids[3]
    assert "nothing was paid" in text_of(second)
    assert "again: true" in text_of(second)
    assert links_of(first) == [first.structured_content["files"][0]["url"]]
    assert progress
    assert [told[0] for told in progress] == sorted(told[0] for told in progress)
    assert links_of(saved) == links_of(twice)
    [file] = (tmp_path / "out").iterdir()
    assert links_of(saved) == [file.as_uri()]
    assert saved.structured_content["files"] == [{"path": str(file), "size": file.stat().st_size}]
    assert not any(part.type in {"image", "audio", "resource"} for part in (*first.content, *saved.content))


def test_two_servers_share_a_journal_in_postgres(sandbox, tmp_path, made, postgres):
    async def work():
        results = []

        async def agent(client):
            results.append(await client.call_tool("generate", WISH))

        first, second = (serving(tmp_path, journal=postgres.url) for _ in range(2))
        async with first as one, second as two, anyio.create_task_group() as group:
            for client in (one, two, one, two):
                group.start_soon(agent, client)
        return {result.structured_content["id"] for result in results}

    assert len(anyio.run(work)) == 1
    assert made() == 1


def test_after_an_hour_the_same_is_made_anew(sandbox, tmp_path, made):
    async def work():
        async with serving(tmp_path) as client:
            return (await client.call_tool("generate", WISH)).structured_content["id"]

    first = anyio.run(work)
    with closing(sqlite3.connect(tmp_path / "agents.db")) as journal, journal:
        journal.execute("UPDATE origin SET begun = begun - 3601")
    assert anyio.run(work) != first
    assert made() == 2


def test_what_takes_long_is_given_as_an_id_with_what_to_do(sandbox, tmp_path, made):
    sandbox.plan(SLOW)

    async def work():
        async with serving(tmp_path, wait=0.2) as client:
            begun = await client.call_tool("generate", WISH)
            same = await client.call_tool("generate", WISH)
            early = await client.call_tool("download", {"id": begun.structured_content["id"]})
            under_way = await client.call_tool("account", {})
            sandbox.advance(100_000)
            ended = await client.call_tool("get_generation", {"id": begun.structured_content["id"], "wait": 5})
            return begun, same, early, under_way, ended

    began = time.monotonic()
    begun, same, early, under_way, ended = anyio.run(work)
    assert time.monotonic() - began < 20
    assert begun.structured_content["finished"] is False
    assert "get_generation" in text_of(begun)
    assert "never call generate again" in text_of(begun)
    assert same.structured_content["id"] == begun.structured_content["id"]
    assert early.is_error
    assert begun.structured_content["id"] in text_of(under_way)
    assert ended.structured_content["status"] == "COMPLETED"
    assert made() == 1


def test_many_at_once_with_one_payload_are_one_and_others_are_their_own(sandbox, tmp_path, made):
    async def work():
        results = []

        async def make(client, wish):
            results.append(await client.call_tool("generate", wish))

        async with serving(tmp_path) as client, anyio.create_task_group() as group:
            for number in range(12):
                group.start_soon(make, client, other(f"rain {number % 3}"))
        return results

    results = anyio.run(work)
    assert made() == 3
    assert len({result.structured_content["id"] for result in results}) == 3
    assert all(result.structured_content["status"] == "COMPLETED" for result in results)


def test_a_lost_answer_is_paid_once_however_often_it_is_asked_for(sandbox, tmp_path, made):
    sandbox.plan(f"drop-after,{SLOW}")

    async def work():
        async with serving(tmp_path, wait=0.5, wait_for_id=0.5) as client:
            results = [await client.call_tool("generate", WISH)]
            while not results[-1].structured_content.get("id"):
                results.append(await client.call_tool("generate", WISH))
            return results

    first, *_, last = anyio.run(work)
    assert made() == 1
    assert "not made twice" in text_of(first)
    assert last.structured_content["status"] in {"IN_QUEUE", "IN_PROGRESS"}


def test_what_stays_uncertain_is_told_to_who_asks_next_and_not_made_again(sandbox, tmp_path, made):
    sandbox.plan("drop-after,running-hidden:1000")

    async def work():
        async with serving(tmp_path, wait=0.5, wait_for_id=0.5) as client:
            result = await client.call_tool("generate", WISH)
            with anyio.fail_after(20):
                while not result.is_error:
                    result = await client.call_tool("generate", WISH)
            return result

    told = anyio.run(work)
    assert made() == 1
    assert told.structured_content["category"] == "uncertain"
    assert "Do not call generate again" in text_of(told)


def test_a_failure_is_told_with_what_to_do(sandbox, tmp_path, made):
    sandbox.plan("failed:VIDEO_GENERATION_FAILED:no luck")

    async def work():
        async with serving(tmp_path) as client:
            failed = await client.call_tool("generate", WISH)
            missing = await client.call_tool("get_generation", {"id": "gen_none"})
            return failed, await client.call_tool("generate", WISH), missing

    failed, same, missing = anyio.run(work)
    assert failed.is_error
    assert "no luck" in text_of(failed)
    assert "again: true" in text_of(failed)
    assert same.structured_content["id"] == failed.structured_content["id"]
    assert missing.structured_content["category"] == "not_found"
    assert made() == 1


def test_the_same_arguments_once_more_pay_once_also_with_again(sandbox, tmp_path, made):
    sandbox.plan(f"delay-after:1,{SLOW}")

    async def until_its_id_is_known(client):
        results = []
        while not results or not results[-1].structured_content.get("id"):
            results.append(await client.call_tool("generate", {**WISH, "again": True}))
        return [text_of(results[0]), results[-1].structured_content["id"], made()]

    async def work():
        async with serving(tmp_path, wait=0.2, wait_for_id=0.2) as client:
            return await until_its_id_is_known(client), await until_its_id_is_known(client)

    (text, first, paid), (_, second, paid_then) = anyio.run(work)
    assert "the same arguments" in text
    assert (paid, paid_then) == (1, 2)
    assert first != second


def test_what_stays_uncertain_is_not_made_again_on_another_day_unless_a_person_wants_it(sandbox, tmp_path, made):
    sandbox.plan("drop-after,running-hidden:1000")

    async def work(**more):
        async with serving(tmp_path, wait=5, wait_for_id=5) as client:
            told = []
            for _ in range(2):
                result = await client.call_tool("generate", {**WISH, **more})
                told.append((result.structured_content.get("category"), made()))
            return told

    assert anyio.run(work) == [("uncertain", 1)] * 2
    with closing(sqlite3.connect(tmp_path / "agents.db")) as journal, journal:
        journal.execute("UPDATE origin SET begun = begun - 3601")
    assert anyio.run(work) == [("uncertain", 1)] * 2
    assert anyio.run(partial(work, again=True)) == [("uncertain", 1), (None, 2)]


def test_a_video_that_was_over_before_its_id_came_is_told_with_its_files(sandbox, tmp_path):
    sandbox.plan("delay-after:0.5,slow:1")

    async def work():
        async with serving(tmp_path) as client:
            return await client.call_tool("generate", WISH)

    done = anyio.run(work)
    assert done.structured_content["status"] == "COMPLETED"
    assert links_of(done) == [done.structured_content["files"][0]["url"]]


def test_an_argument_in_the_wrong_place_makes_nothing(sandbox, tmp_path, made):
    async def work():
        async with serving(tmp_path) as client:
            return [
                await client.call_tool("generate", {**WISH, **more})
                for more in ({"duration": 10}, {"consent": {"make_it": True}}, {"Again": False})
            ]

    for result in anyio.run(work):
        assert result.is_error
        assert "has no argument" in text_of(result)
    assert made() == 0


@pytest.mark.parametrize("steps", range(6))
def test_a_request_that_is_given_up_at_any_moment_leaves_the_journal_to_other_servers(steps, sandbox, tmp_path):
    journal = tmp_path / "agents.db"

    async def work():
        async with AsyncClient() as platform, anyio.create_task_group() as group:
            desk = Desk(Catalog(catalog.MODELS, "skills_video"), Choices(journal), platform, group)
            with anyio.CancelScope() as scope:

                async def give_up():
                    for _ in range(steps):
                        await anyio.lowlevel.checkpoint()
                    scope.cancel()

                group.start_soon(give_up)
                await desk.begun("gen_1")
            with closing(sqlite3.connect(journal, timeout=0, isolation_level=None)) as other_server:
                other_server.execute("BEGIN EXCLUSIVE")

    anyio.run(work)


def test_nobody_is_passed_over_where_the_journal_was_in_use_while_a_person_was_to_be_asked(
    sandbox, tmp_path, made, monkeypatch
):
    monkeypatch.setattr("skills_video_runtime.agents.desk.HELD", 0.2)
    asked = []

    async def reply(_context, params):
        asked.append(params.message)
        return ElicitResult(action="decline")

    async def work():
        async with serving(tmp_path, {"elicitation_callback": reply}, confirm="always") as client:
            with closing(sqlite3.connect(tmp_path / "agents.db", isolation_level=None)) as other_server:
                other_server.execute("BEGIN EXCLUSIVE")
                held = await client.call_tool("generate", WISH)
            return held, await client.call_tool("generate", WISH)

    held, refused = anyio.run(work)
    assert held.structured_content["category"] == "journal"
    assert refused.is_error
    assert len(asked) == 1
    assert made() == 0


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize(("answer", "count"), [("accept", 1), ("refuse", 0), ("decline", 0), ("cancel", 0), (None, 0)])
def test_a_person_is_asked_where_that_was_chosen(answer, count, mode, sandbox, tmp_path, made):
    asked = []

    async def reply(_context, params):
        asked.append(params.message)
        if answer in {"accept", "refuse"}:
            return ElicitResult(action="accept", content={"make_it": answer == "accept"})
        return ElicitResult(action=answer)

    async def work():
        client = {"elicitation_callback": reply} if answer else {}
        async with serving(tmp_path, {**client, "mode": mode}, confirm="always") as connected:
            first = await connected.call_tool("generate", WISH)
            return first, await connected.call_tool("generate", WISH)

    first, second = anyio.run(work)
    assert made() == count
    assert first.is_error is (count == 0)
    if answer is None:
        assert "--confirm always" in text_of(first)
        assert asked == []
    else:
        assert "unknown price" in asked[0]
        assert "neon rain" in asked[0]
    if count:
        assert len(asked) == 1  # what is given again costs nothing
        assert second.structured_content["id"] == first.structured_content["id"]


def test_over_a_price_a_person_is_asked_and_below_it_nobody(sandbox, tmp_path, made):
    asked = []

    async def reply(_context, params):
        asked.append(params.message)
        return ElicitResult(action="accept", content={"make_it": True})

    async def work():
        for most in ("over:5", "over:50"):
            async with serving(tmp_path, {"elicitation_callback": reply}, confirm=most) as client:
                for number in range(3):
                    await client.call_tool("generate", other(f"{most} {number}"))

    anyio.run(work)
    assert made() == 6
    assert len(asked) == 3 + 1
    assert sum("unknown price" in question for question in asked) == 2


def test_a_setting_that_nothing_enumerates_may_have_another_price(sandbox, tmp_path, made):
    asked = []

    async def reply(_context, params):
        asked.append(params.message)
        return ElicitResult(action="accept", content={"make_it": True})

    async def work():
        async with serving(tmp_path, {"elicitation_callback": reply}, confirm="over:50") as client:
            for prompt, mode in (("a cat", "fast"), ("a dog", "fast"), ("a cat", "quality")):
                payload = {"prompt": prompt, "mode": mode}
                await client.call_tool("generate", {"model": "google_veo_3_1", "payload": payload})

    anyio.run(work)
    assert made() == 3
    assert len(asked) == 2


def test_a_task_is_told_of_while_another_server_has_the_journal(sandbox, tmp_path, monkeypatch):
    monkeypatch.setattr("skills_video_runtime.agents.desk.HELD", 0.2)
    sandbox.plan(SLOW)
    takes_tasks = {"extensions": [TakesTasks(follows=False)]}

    async def begin():
        async with serving(tmp_path, takes_tasks) as client:
            return (await client.call_tool("generate", WISH)).structured_content["taskId"]

    async def look(task_id):
        async with serving(tmp_path, takes_tasks) as client:
            return await ask(client.session, "tasks/get", task_id)

    task_id = anyio.run(begin)
    with closing(sqlite3.connect(tmp_path / "agents.db", isolation_level=None)) as other_server:
        other_server.execute("BEGIN EXCLUSIVE")
        assert anyio.run(look, task_id)["status"] == "working"


def test_the_budget_is_a_hard_stop(sandbox, tmp_path, made):
    async def work():
        async with serving(tmp_path, max_credits=15) as client:
            results = [await client.call_tool("generate", other(f"rain {number}")) for number in range(4)]
            return results, await client.call_tool("generate", other("rain 0"))

    results, same = anyio.run(work)
    assert [result.is_error for result in results] == [False, False, True, True]
    assert made() == 2
    assert "--max-credits" in text_of(results[-1])
    assert not same.is_error  # it was paid for before


def test_videos_asked_for_at_once_do_not_pass_the_budget_together(sandbox, tmp_path, made):
    async def work():
        results = []

        async def make(client, number):
            results.append(await client.call_tool("generate", other(f"rain {number}")))

        async with serving(tmp_path, max_credits=25) as client:
            for count in (3, 8):
                async with anyio.create_task_group() as group:
                    for number in range(count):
                        group.start_soon(make, client, 10 * count + number)
        return results

    results = anyio.run(work)
    assert made() == 3
    assert [text_of(result) for result in results if "may take the rest" in text_of(result)]


def test_what_is_under_way_counts_once_it_has_ended(sandbox, tmp_path, made):
    sandbox.plan(SLOW)

    async def work():
        async with serving(tmp_path, max_credits=5, wait=0.2) as client:
            await client.call_tool("generate", other("slow"))
            sandbox.advance(100_000)
            return await client.call_tool("generate", other("next"))

    assert anyio.run(work).is_error
    assert made() == 1


def test_what_a_host_has_given_up_goes_on_and_counts(sandbox, tmp_path, made):
    sandbox.plan("delay-after:1.5")

    def is_known():
        with closing(sqlite3.connect(tmp_path / "agents.db", timeout=0)) as journal, suppress(sqlite3.OperationalError):
            return journal.execute("SELECT count(*) FROM submission WHERE id IS NOT NULL").fetchone()[0] > 0

    async def work():
        async with serving(tmp_path, max_credits=5) as client:
            with pytest.raises(MCPError):
                await client.call_tool("generate", other("given up"), read_timeout_seconds=1)
            with anyio.fail_after(20):
                while not is_known():
                    await client.call_tool("account", {})
            return await client.call_tool("generate", other("next"))

    assert anyio.run(work).is_error
    assert made() == 1


def test_the_id_is_told_though_the_state_cannot_be(sandbox, tmp_path, made):
    sandbox.plan(SLOW)
    sandbox.arm("result-500:1000")

    async def work():
        async with serving(tmp_path, wait=0.5) as client:
            return await client.call_tool("generate", WISH)

    told = anyio.run(work)
    sandbox.clear_faults()
    assert told.structured_content["id"] == sandbox.generations()[-1].id
    assert "never call generate again" in text_of(told)
    assert made() == 1


def test_local_files_are_those_below_the_directory(sandbox, tmp_path, made):
    inside, outside = tmp_path / "out", tmp_path / "secret.png"
    inside.mkdir()
    outside.write_bytes(b"\x89PNG secret")
    (inside / "cat.png").write_bytes(b"\x89PNG")
    (inside / "link.png").symlink_to(outside)
    (inside / "up").symlink_to(tmp_path)
    names = ["../secret.png", str(outside), "link.png", "up/secret.png", "none.png", ".", "", "a\x00b", "~/x"]

    async def work():
        async with serving(tmp_path) as client:
            refused = [await client.call_tool("generate", other("cat", image_url=f"@{name}")) for name in names]
            taken = await client.call_tool("generate", other("cat", image_url="@cat.png"))
            (inside / "cat.png").write_bytes(b"\x89PNG, another")
            changed = await client.call_tool("generate", other("cat", image_url="@cat.png"))
            wrong = await client.call_tool("check_payload", other("cat", image_url="cat.png"))
        async with serving(tmp_path, directory=None) as client:
            unserved = await client.call_tool("generate", other("cat", image_url="@cat.png"))
            unsaved = await client.call_tool("download", {"id": taken.structured_content["id"]})
        return refused, taken, changed, wrong, unserved, unsaved

    refused, taken, changed, wrong, unserved, unsaved = anyio.run(work)
    assert all(result.is_error for result in refused)
    assert made() == 2
    assert taken.structured_content["id"] != changed.structured_content["id"]
    assert "'@' and its path" in text_of(wrong)
    assert unserved.is_error
    assert unsaved.is_error
    assert "--directory" in text_of(unsaved)


@pytest.mark.parametrize("name", ["../../evil.sh", "/etc/passwd", "C:\\Windows\\a.exe", "..", ".bashrc"])
def test_whatever_a_file_is_called_it_is_saved_below_the_directory(name, sandbox, tmp_path):
    from urllib.parse import quote  # noqa: PLC0415

    sandbox.plan(f"download-name:{quote(name)}")

    async def work():
        async with serving(tmp_path) as client:
            made = await client.call_tool("generate", WISH)
            return await client.call_tool("download", {"id": made.structured_content["id"]})

    saved = anyio.run(work)
    [file] = (tmp_path / "out").iterdir()
    assert links_of(saved) == [file.as_uri()]
    assert file.suffix == ".mp4"
    assert {path.name for path in tmp_path.iterdir()} == {"out", "agents.db"}


@pytest.mark.parametrize("prompt", ["a" * 20_000, 'x"}],"model":"y', "\x1b[2J\u202egnp", "$(rm -rf /)", "{}{0}%s"])
def test_hostile_prompts_are_prompts(prompt, sandbox, tmp_path, made):
    async def reply(_context, params):
        assert params.message.isprintable()
        assert len(params.message) < 2_000
        return ElicitResult(action="accept", content={"make_it": True})

    async def work():
        async with serving(tmp_path, {"elicitation_callback": reply}, confirm="always") as client:
            return await client.call_tool("generate", other(prompt))

    done = anyio.run(work)
    assert not done.is_error
    assert made() == 1
    assert sandbox.generations()[-1].input["prompt"] == prompt
    assert prompt not in text_of(done)


def test_the_key_is_never_shown(sandbox, tmp_path, capfd):
    key = sandbox.api_key
    sandbox.plan(f"failed:CODE:{key} is wrong")

    async def work():
        async with serving(tmp_path) as client:
            return [
                await client.call_tool("generate", other(f"show {key}")),
                await client.call_tool("get_generation", {"id": key}),
                await client.call_tool("download", {"id": f"../{key}"}),
                await client.call_tool("describe_model", {"model": key}),
                await client.call_tool("check_payload", {**WISH, "payload": {"duration": key, key: 1}}),
                await client.call_tool("find_models", {"ratio": key}),
                await client.call_tool("account", {}),
            ]

    shown = "".join(result.model_dump_json() for result in anyio.run(work))
    assert key not in shown + "".join(capfd.readouterr())
    assert "<key>" in shown


def test_a_task_is_followed_to_its_end(sandbox, tmp_path, made):
    tasks = TakesTasks()

    async def work():
        async with serving(tmp_path, {"extensions": [tasks]}) as client:
            return await client.call_tool("generate", WISH)

    done = anyio.run(work)
    assert made() == 1
    assert done.structured_content["status"] == "COMPLETED"
    assert links_of(done)
    first, *polled = tasks.seen
    assert first["taskId"] == done.structured_content["id"]
    assert first["status"] == "working"
    assert first["ttlMs"] is None
    assert polled[-1]["status"] == "completed"
    assert {task["createdAt"] for task in tasks.seen} == {first["createdAt"]}


def test_a_task_that_fails_is_completed_with_an_error(sandbox, tmp_path):
    sandbox.plan("failed:CODE:no luck", "canceled")

    async def work():
        tasks = TakesTasks()
        async with serving(tmp_path, {"extensions": [tasks]}) as client:
            failed = await client.call_tool("generate", WISH)
            await client.call_tool("generate", other("canceled"))
            return failed, tasks.seen[-1]

    failed, canceled = anyio.run(work)
    assert failed.is_error
    assert "no luck" in text_of(failed)
    assert canceled["status"] == "cancelled"


def test_cancel_is_acknowledged_and_says_what_comes_of_it(sandbox, tmp_path, made):
    sandbox.plan(SLOW)
    tasks = TakesTasks(follows=False)

    async def work():
        async with serving(tmp_path, {"extensions": [tasks]}) as client:
            begun = (await client.call_tool("generate", WISH)).structured_content["taskId"]
            acknowledged = await ask(client.session, "tasks/cancel", begun)
            updated = await ask(client.session, "tasks/update", begun, inputResponses={})
            task = await ask(client.session, "tasks/get", begun)
            with pytest.raises(MCPError, match="404"):
                await ask(client.session, "tasks/get", "gen_none")
            return acknowledged, updated, task

    acknowledged, updated, task = anyio.run(work)
    assert "describes no way to cancel" in json.dumps(acknowledged)
    assert updated["resultType"] == "complete"
    assert task["status"] == "working"
    assert "describes no way to cancel" in task["statusMessage"]
    assert made() == 1


def test_a_task_is_canceled_where_the_platform_offers_that(tmp_path, monkeypatch):
    document = json.loads(SPECS.read_text("utf-8"))
    place = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    offer = {"parameters": [place], "responses": {"200": {"description": "Canceled"}}}
    document["paths"]["/generation/{id}"]["delete"] = offer
    (tmp_path / "openapi.json").write_text(json.dumps(document), "utf-8")
    cancel = OnGeneration("DELETE", "/generation/{id}", "openapi.json")
    monkeypatch.setattr(capabilities, "CAPABILITIES", Capabilities(cancel=cancel))
    tasks = TakesTasks(follows=False)

    async def work():
        async with serving(tmp_path, {"extensions": [tasks]}) as client:
            begun = (await client.call_tool("generate", WISH)).structured_content["taskId"]
            await ask(client.session, "tasks/cancel", begun)
            return await ask(client.session, "tasks/get", begun)

    with Sandbox(openapi=tmp_path / "openapi.json", speed=0) as sandbox:
        monkeypatch.setenv("SKILLS_VIDEO_API_KEY", sandbox.api_key)
        monkeypatch.setenv("SKILLS_VIDEO_BASE_URL", sandbox.url)
        assert anyio.run(work)["status"] == "cancelled"


def test_who_takes_no_tasks_gets_none(sandbox, tmp_path):
    async def work():
        async with serving(tmp_path, {"mode": "legacy"}, wait=0.2) as client:
            return await client.call_tool("generate", WISH)

    assert anyio.run(work).structured_content["id"]


def test_the_transcript_in_the_docs_is_what_happens():
    shown = Path(__file__).parents[2] / "docs" / "agents-transcript.md"
    assert shown.read_text("utf-8") == transcript()
