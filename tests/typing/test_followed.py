"""A call is followed from the client to httpx by an editor's "go to definition", as pyright answers it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from itertools import count
from pathlib import Path
from threading import Timer
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest

ROOT = Path(__file__).parents[2]
RUNTIME = ROOT / "runtime" / "skills_video_runtime"
SECONDS = 120
SUBMITTED = ("self._coroutines.generate", "call.generate", "self.submit", "submitted", "posted", "_attempt")
ASKED = ("self._send", "self._respond", "http.send")
PATHS = {
    "post": [*SUBMITTED, "call.io.post", "self._ask", *ASKED],
    "stream": ["call.generate", "self.follow", "next_streamed", "call.next_event", "self.io.next_event", "body.take"],
    "events": ["call.generate", "self.submit", "submitted", "posted", "_attempt", "call.io.post", "self._opened",
               "self.body.events", "EventSource"],
    "poll": ["self._coroutines.wait", "call.wait", "self.follow", "next_polled", "call.ask", "self.io.get", "self._ask",
             *ASKED],
    "a question": ["self._coroutines.credits", "call.credits", "self._fetch", "self.ask", "self.io.get"],
    "a file": ["save.outcome", "self.run", "self.into", "self._transfer", "self._open", "self.io.open_file", *ASKED],
}  # fmt: skip


class Editor:
    """Asks pyright's language server where what stands in a file is defined."""

    def __init__(self):
        command = [sys.executable, "-m", "pyright.langserver", "--stdio"]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.ids, self.opened = count(1), set()
        folders = [{"uri": ROOT.as_uri(), "name": "skills-video"}]
        offered = {"workspace": {"configuration": True, "workspaceFolders": True}}
        self.ask("initialize", processId=None, rootUri=ROOT.as_uri(), capabilities=offered, workspaceFolders=folders)
        self.send(method="initialized", params={})

    def send(self, **message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def receive(self):
        head = b"".join(iter(self.process.stdout.readline, b"\r\n"))
        return json.loads(self.process.stdout.read(int(re.search(rb"Content-Length: (\d+)", head)[1])))

    def ask(self, method, **params):
        number = next(self.ids)
        self.send(id=number, method=method, params=params)
        while True:
            message = self.receive()
            if "method" not in message and message["id"] == number:
                return message["result"]
            if "method" in message and "id" in message:  # it asks for settings, and gets none
                items = message.get("params", {}).get("items", [])
                self.send(id=message["id"], result=[None] * len(items))

    def definition(self, file, offset):
        """Give the file and the line in which the name at a place of a file is defined."""
        text, uri = file.read_text("utf-8"), file.as_uri()
        if uri not in self.opened:
            self.opened.add(uri)
            document = {"uri": uri, "languageId": "python", "version": 1, "text": text}
            self.send(method="textDocument/didOpen", params={"textDocument": document})
        before = text[:offset]
        position = {"line": before.count("\n"), "character": len(before.rpartition("\n")[2])}
        found = self.ask("textDocument/definition", textDocument={"uri": uri}, position=position)
        assert found, f"what stands at {file}:{position['line'] + 1} is defined nowhere"
        return Path(url2pathname(urlsplit(found[-1]["uri"]).path)), found[-1]["range"]["start"]["line"]


@pytest.fixture(scope="module")
def editor():
    editor = Editor()
    timer = Timer(SECONDS, editor.process.kill)
    timer.start()
    with editor.process:
        yield editor
        timer.cancel()
        editor.process.kill()


def body_of(file, line):
    """Give the text of a file, and where in it the function of a line begins and ends."""
    text = file.read_text("utf-8")
    lines = text.splitlines(keepends=True)
    indent = len(lines[line]) - len(lines[line].lstrip())
    after = line + 1
    while after < len(lines) and not re.match(rf" {{0,{indent}}}(async def|def|class|@)\b", lines[after]):
        after += 1
    return text, sum(map(len, lines[:line])), sum(map(len, lines[:after]))


def implementation(name):
    """Give where the one class that the protocol names has a method."""
    file = RUNTIME / "http" / "exchange.py"
    [line] = [at for at, text in enumerate(file.read_text("utf-8").splitlines()) if re.search(rf"def {name}\(", text)]
    return file, line


@pytest.mark.parametrize("path", PATHS)
def test_no_step_of_a_call_is_lost_on_its_way_to_httpx(path, editor):
    file = RUNTIME / "client.py"
    text, begin, end = file.read_text("utf-8"), 0, None
    for step in PATHS[path]:
        found = re.search(rf"(?<![\w.]){re.escape(step)}\(", text[begin:end])
        assert found, f"{step} is not called in {file.name} after {begin}"
        name = step.rpartition(".")[2]
        file, line = editor.definition(file, begin + found.end() - 1 - len(name))
        assert re.search(rf"\b(def|class) {name}\b", file.read_text("utf-8").splitlines()[line])
        if ".io." in step:
            file, line = implementation(name)
        text, begin, end = body_of(file, line)
