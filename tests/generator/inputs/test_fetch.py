"""Fetching from real servers on this machine: both files are written, or neither is."""

from __future__ import annotations

import contextlib
import gzip
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from generator.__main__ import main
from generator.inputs import sources as fetching
from tests.support.project import description, navigation, pages_of
from tests.support.site import Site, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

BODY = {"type": "object", "properties": {"prompt": {"type": "string"}}}


def kept(document):
    """Write a document in the form that is kept."""
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


OPENAPI = kept(description({"acme/one": BODY}))
DOCS = kept(navigation(*pages_of(["acme/one"])))
OTHER = kept(description({"acme/one": BODY, "acme/two": BODY}))


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


@pytest.fixture
def specs(tmp_path):
    folder = tmp_path / "specs"
    folder.mkdir()
    return folder


def run(specs, openapi, docs, *options):
    return main(["fetch", "--openapi-url", str(openapi), "--docs-url", str(docs), "--into", str(specs), *options])


def held(specs):
    return {path.name: path.read_bytes() for path in specs.iterdir()}


def refused(specs, capsys, openapi, docs):
    """Fetch in vain into a folder that holds other files, and give the line of error."""
    (specs / "openapi.json").write_bytes(OTHER)
    (specs / "docs.json").write_bytes(DOCS)
    before = held(specs)
    assert run(specs, openapi, docs) == 2
    assert held(specs) == before
    out, err = capsys.readouterr()
    assert out == ""
    line = err.splitlines()[-1]
    assert line.startswith("error: ")
    assert line.endswith("; the old files are kept")
    return line


def test_both_files_are_written(site, specs, capsys):
    assert run(specs, site.serve("/openapi.json", OPENAPI), site.serve("/docs.json", DOCS)) == 0
    assert held(specs) == {"openapi.json": OPENAPI, "docs.json": DOCS}
    assert capsys.readouterr().out == "2 files changed\n  docs.json\n  openapi.json\n"


@pytest.mark.parametrize("prefix", ["", "file:/", "file:///", "file://localhost/"])
def test_files_of_this_machine_are_taken_without_a_network(prefix, specs, tmp_path):
    path = tmp_path / "a b.json"
    path.write_bytes(OPENAPI)
    (tmp_path / "docs.json").write_bytes(DOCS)
    source = path.as_uri().replace("file:///", prefix) if prefix else path
    assert run(specs, source, tmp_path / "docs.json") == 0
    assert held(specs) == {"openapi.json": OPENAPI, "docs.json": DOCS}


def test_what_has_not_changed_is_asked_for_by_its_etag_and_not_sent_again(site, specs, capsys):
    openapi, docs = site.serve("/o", OPENAPI, ETag='"o1"'), site.serve("/d", DOCS, ETag='W/"d1"')
    assert run(specs, openapi, docs) == 0
    before = held(specs)
    assert set(before) == {"openapi.json", "docs.json", ".etags.json"}
    capsys.readouterr()
    assert run(specs, openapi, docs) == 0
    assert [headers.get("If-None-Match") for _, headers in site.asked] == [None, None, '"o1"', 'W/"d1"']
    assert held(specs) == before
    assert capsys.readouterr().out == "0 files changed\n"


def test_one_file_that_changed_goes_with_the_other_that_did_not(site, specs):
    openapi, docs = site.serve("/o", OPENAPI, ETag='"o1"'), site.serve("/d", DOCS, ETag='"d1"')
    assert run(specs, openapi, docs) == 0
    site.serve("/o", OTHER, ETag='"o2"')
    assert run(specs, openapi, docs) == 0
    assert (specs / "openapi.json").read_bytes() == OTHER
    assert (specs / "docs.json").read_bytes() == DOCS
    assert json.loads((specs / ".etags.json").read_text())["openapi.json"]["etag"] == '"o2"'


@pytest.mark.parametrize("spoil", ["edited", "elsewhere", "unreadable", "hostile"])
def test_an_etag_is_not_sent_for_a_file_that_it_is_not_about(spoil, site, specs):
    openapi, docs = site.serve("/o", OPENAPI, ETag='"o1"'), site.serve("/d", DOCS)
    assert run(specs, openapi, docs) == 0
    if spoil == "edited":
        (specs / "openapi.json").write_bytes(OTHER)
    elif spoil == "elsewhere":
        openapi = site.serve("/p", OPENAPI, ETag='"o1"')
    elif spoil == "unreadable":
        (specs / ".etags.json").write_text("{")
    else:
        text = (specs / ".etags.json").read_text().replace("o1", "o1\\r\\nX-Evil: 1")
        (specs / ".etags.json").write_text(text)
    assert run(specs, openapi, docs) == 0
    assert "If-None-Match" not in site.asked[2][1]
    assert "X-Evil" not in site.asked[2][1]
    assert (specs / "openapi.json").read_bytes() == OPENAPI


def test_a_packed_answer_is_unpacked(site, specs):
    openapi = site.serve("/o", gzip.compress(OPENAPI), Content_Encoding="gzip")
    assert run(specs, openapi, site.serve("/d", DOCS)) == 0
    assert (specs / "openapi.json").read_bytes() == OPENAPI


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_beyond_the_limit_is_refused(packed, site, specs, capsys, monkeypatch):
    monkeypatch.setattr(fetching, "LARGEST", 100_000)
    large = b" " * 200_000 + OPENAPI
    headers = {"Content_Encoding": "gzip"} if packed else {}
    openapi = site.serve("/o", gzip.compress(large) if packed else large, **headers)
    assert "/o: is larger than 100000 bytes" in refused(specs, capsys, openapi, site.serve("/d", DOCS))


def test_a_file_beyond_the_limit_is_refused(specs, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(fetching, "LARGEST", 100)
    (tmp_path / "openapi.json").write_bytes(OPENAPI)
    assert "is larger than 100 bytes" in refused(specs, capsys, tmp_path / "openapi.json", tmp_path / "docs.json")


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "x"])
def test_an_answer_that_is_packed_otherwise_is_refused(encoding, site, specs, capsys):
    openapi = site.serve("/o", gzip.compress(OPENAPI), Content_Encoding=encoding)
    assert "packed in a way that was not asked for" in refused(specs, capsys, openapi, site.serve("/d", DOCS))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "is empty"),
        (b"<html>", "is not JSON"),
        (b"[]", "holds no JSON object"),
        (OPENAPI[:-9], "is not JSON"),
        (b'{"openapi": "2.0", "paths": {}}', "says '2.0'"),
        (json.dumps(description({"acme/none": BODY})).encode(), "selects no model"),
        (json.dumps(description({"acme/one": {"type": "wrong"}})).encode(), "selects no model"),
        (OPENAPI.replace(b"Acme One", b"Acme \xff"), "is not JSON"),
    ],
)
def test_a_description_that_is_of_no_use_changes_neither_file(body, words, site, specs, capsys):
    line = refused(specs, capsys, site.serve("/o?key=secret", body), site.serve("/d", DOCS))
    assert words in line
    assert site.url in line
    assert "secret" not in line


def test_a_navigation_that_is_of_no_use_changes_neither_file(site, specs, capsys):
    line = refused(specs, capsys, site.serve("/o", OPENAPI), site.serve("/d", b'{"navigation": {"groups": []}}'))
    assert f"{site.url}/d#/navigation: has no group named 'Videos'" in line


@pytest.mark.parametrize("status", [204, 304, 401, 404, 500])
def test_another_status_than_200_is_an_error(status, site, specs, capsys):
    openapi = site.serve("/o", b"", status)
    assert f"/o: answers {status}, not 200" in refused(specs, capsys, openapi, site.serve("/d", DOCS))


def test_redirects_on_this_machine_are_followed(site, specs):
    site.serve("/new", OPENAPI)
    assert run(specs, site.serve("/o", b"", 302, Location="/new"), site.serve("/d", DOCS)) == 0


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("http://example.com/o", "leads on to http://example.com/o, no https address"),
        ("ftp://example.com/o", "is no https or file: address"),
        ("file:///etc/passwd", "leads on to file:///etc/passwd, no https address"),
        ("https://user:secret@example.com/o", "holds a name or a password"),
        ("/o", "leads on more than 5 times"),
        ("http://[", "cannot be fetched: Invalid IPv6 URL"),
    ],
)
def test_redirects_elsewhere_are_refused(location, words, site, specs, capsys):
    line = refused(specs, capsys, site.serve("/o", b"", 302, Location=location), site.serve("/d", DOCS))
    assert words in line
    assert "secret" not in line


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("http://example.com/openapi.json", "is no https address; only https is fetched"),
        ("ftp://example.com/openapi.json", "is no https or file: address"),
        ("https:///openapi.json", "is no https address"),
        ("https://user:secret@example.com/openapi.json", "holds a name or a password"),
        ("https://example.com:port/openapi.json", "is no address"),
        ("https://[", "is no address"),
        ("file://elsewhere/openapi.json", "names another machine"),
        ("missing.json", "missing.json: cannot be read: No such file"),
        (".", "cannot be read"),
        ("a\0b", "cannot be read"),
    ],
)
def test_another_source_than_https_or_a_file_is_refused(source, words, site, specs, capsys):
    line = refused(specs, capsys, source, site.serve("/d", DOCS))
    assert words in line
    assert "secret" not in line


def test_a_server_that_is_not_there_is_an_error(site, specs, capsys):
    with contextlib.closing(ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler).socket) as free:
        port = free.getsockname()[1]
    line = refused(specs, capsys, f"http://127.0.0.1:{port}/o", site.serve("/d", DOCS))
    assert "cannot be fetched" in line


def test_an_answer_that_never_ends_is_given_up(site, specs, capsys, monkeypatch):
    monkeypatch.setattr(fetching, "TIMEOUT", 0.2)
    openapi = site.serve("/o", OPENAPI, X_Slow="1", Content_Length="9999999")
    assert "did not arrive within" in refused(specs, capsys, openapi, site.serve("/d", DOCS))


def test_files_that_cannot_be_written_are_as_they_were(site, specs, capsys):
    (specs / "openapi.json").mkdir()
    (specs / "docs.json").write_bytes(b"{}")
    assert run(specs, site.serve("/o", OPENAPI), site.serve("/d", DOCS)) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert (specs / "docs.json").read_bytes() == b"{}"


def test_addresses_come_from_the_settings(site, specs, tmp_path):
    config = tmp_path / "pyproject.toml"
    urls = site.serve("/o", OPENAPI), site.serve("/d", DOCS)
    config.write_text('[tool.generator.fetch]\nopenapi-url = "{}"\ndocs-url = "{}"\n'.format(*urls), "utf-8")
    assert main(["fetch", "--into", str(specs), "--config", str(config)]) == 0
    assert held(specs) == {"openapi.json": OPENAPI, "docs.json": DOCS}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('openapi_url = "https://a.example/x"', "says openapi_url, which means nothing; correct the name"),
        ("site = 5", "site is 5; an address is expected"),
    ],
)
def test_a_setting_that_means_nothing_is_named_with_its_file(line, said, specs, tmp_path, capsys):
    config = tmp_path / "pyproject.toml"
    config.write_text(f"[tool.generator.fetch]\n{line}\n", "utf-8")
    assert main(["fetch", "--into", str(specs), "--config", str(config)]) == 2
    assert capsys.readouterr().err == f"error: {config}: [tool.generator.fetch] {said}\n"


def test_no_address_is_an_error_that_says_where_to_put_one(specs, tmp_path, capsys):
    assert main(["fetch", "--into", str(specs), "--config", str(tmp_path / "none.toml")]) == 2
    err = capsys.readouterr().err
    assert "give that of the documentation site, or --openapi-url and --docs-url, or set site below" in err


def test_model_scoped_descriptions_that_are_there_are_read_along(site, specs):
    (specs / "models").mkdir()
    (specs / "models" / "two.json").write_bytes(json.dumps(description({"acme/two": BODY})).encode())
    docs = site.serve("/d", json.dumps(navigation(*pages_of(["acme/two"]))).encode())
    assert run(specs, site.serve("/o", OPENAPI), docs) == 0
