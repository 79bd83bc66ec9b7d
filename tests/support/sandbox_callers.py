"""Ways to talk to a sandbox."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

    from skills_video_runtime.sandbox import Sandbox

PLAIN = "/generation/kling-ai/kling-v2.6"
STREAM = "/generation/sse/kling-ai/kling-v2.6"
BODY = {"prompt": "neon rain"}


@dataclass(frozen=True)
class Caller:
    """Talks to one sandbox as a client of the platform would."""

    sandbox: Sandbox
    http: httpx.Client
    """With the key."""
    keyless: httpx.Client

    def create(self, faults: str = "", path: str = PLAIN, body: Any = None) -> httpx.Response:
        headers = {"X-Sandbox-Fault": faults} if faults else {}
        return self.http.post(path, json=BODY if body is None else body, headers=headers)

    def stream(self, faults: str = "", body: Any = None) -> httpx.Response:
        return self.create(faults, STREAM, body)

    def made(self, faults: str = "") -> str:
        """The id of a generation made with faults; told by the sandbox, whatever the answer was."""
        self.sandbox.plan(faults)
        self.http.post(PLAIN, json=BODY)
        return self.sandbox.generations()[-1].id

    def raw(self, faults: str, path: str = STREAM, *, close: bool = False) -> tuple[bytes, bool]:
        """All bytes that a socket gets for a create request, and whether the connection was reset."""
        body = json.dumps(BODY).encode()
        head = (
            f"POST /api/v1{path} HTTP/1.1\r\nHost: sandbox\r\nAuthorization: Bearer {self.sandbox.api_key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nX-Sandbox-Fault: {faults}\r\n\r\n"
        )
        head = head.removesuffix("\r\n") + "Connection: close\r\n\r\n" if close else head
        received = b""
        with socket.create_connection(("127.0.0.1", int(self.sandbox.origin.rpartition(":")[2])), timeout=5) as peer:
            peer.sendall(head.encode() + body)
            try:
                while piece := peer.recv(65_536):
                    received += piece
            except ConnectionResetError:
                return received, True
        return received, False


def events(text: str) -> list[dict[str, Any]]:
    """The generations in a stream as the platform writes it."""
    return [json.loads(frame.removeprefix("data: ")) for frame in text.split("\n\n") if frame]
