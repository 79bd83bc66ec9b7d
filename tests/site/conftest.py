"""The site, built once for all workers, served, and looked at with a browser where there is one."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import distributions
from pathlib import Path

import pytest

from tests.support.children import finished

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "site"
INPUTS = ("docs", "generated", "generator", "runtime", "skills", "specs", "templates")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def digest_of_the_inputs():
    """Tell a site apart by all that it is made of: files, what git has, and who makes it."""
    digest = hashlib.sha256()
    files = (path for folder in INPUTS for path in (ROOT / folder).rglob("*") if "__pycache__" not in path.parts)
    for path in sorted({*files, *ROOT.glob("*.*")}):
        if path.is_file() and not path.is_relative_to(ROOT / "docs" / "models"):  # which the build writes
            digest.update(f"{path.relative_to(ROOT)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    digest.update(finished(["git", "-C", ROOT, "log", "-1", "--format=%H"]).stdout.encode())
    digest.update(json.dumps(sorted(f"{item.name} {item.version}" for item in distributions())).encode())
    return digest.hexdigest()


@pytest.fixture(scope="session")
def site():
    """Give the folder of the pages, which are built anew if the last build was of anything else."""
    for name in ("sphinx", "furo", "myst_parser"):
        pytest.importorskip(name, reason=f"{name} is not installed; `make site` does that")
    fcntl = pytest.importorskip("fcntl")
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        digest, built = digest_of_the_inputs(), BUILD / ".built"
        if not built.is_file() or built.read_text("utf-8") != digest:
            built.unlink(missing_ok=True)
            done = finished([sys.executable, "-m", "docs.site", "--out", BUILD], cwd=ROOT, seconds=300)
            assert done.returncode == 0, done.stdout + done.stderr
            built.write_text(digest, "utf-8")
    return BUILD / "html"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def address(site):
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")  # while it is open, no test in this process can run an event loop of its own
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield chromium
        chromium.close()


class Page:
    """A page in the browser, with what went wrong on it."""

    def __init__(self, context, address):
        self.address, self.wrong = address, []
        self.page = context.new_page()
        self.page.on("console", self.on_console)
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("requestfailed", self.on_failure)
        self.page.on("request", self.on_request)

    def on_console(self, message):
        if message.type in {"error", "warning"}:
            self.wrong.append(f"{message.type}: {message.text}")

    def on_failure(self, request):
        if request.failure != "net::ERR_ABORTED":  # the page was left before its picture came
            self.wrong.append(f"failed: {request.url}")

    def on_request(self, request):
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.wrong.append(f"elsewhere: {request.url}")

    def open(self, name):
        answer = self.page.goto(f"{self.address}/{name}")
        assert answer.ok, name
        return self.page


@pytest.fixture
def page(browser, address):
    """Give a page of the site; whatever went wrong on it fails the test."""
    with browser.new_context() as context:
        opened = Page(context, address)
        yield opened
        assert opened.wrong == []


@pytest.fixture(scope="module")
def shared_page(browser, address):
    """Give a page that is open for all tests of a file; each looks at what went wrong on it."""
    with browser.new_context() as context:
        yield Page(context, address)
