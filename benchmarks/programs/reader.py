"""100,000 events of one stream through the reader, without a socket: seconds of CPU.

Both go through httpx with a transport that holds the body in memory: one event in a chunk, or chunks of 64 KiB.
"""

import json
import sys
import time

import httpx
from httpx_sse import EventSource

WHO, _ = sys.argv[1:]
TIMES, LARGE = 100_000, 65_536
STATE = {"id": "gen_1", "status": "IN_PROGRESS", "data": None, "usage": {"total": 0, "subscription": 0, "permanent": 0}}
EVENTS = [b"data: " + json.dumps(STATE).encode() + b"\n\n"] * TIMES
DONE = {**STATE, "status": "COMPLETED", "data": {"type": "video", "video": {"url": "https://cdn.example.com/clip.mp4"}}}
EVENTS.append(b"data: " + json.dumps(DONE).encode() + b"\n\n")
WHOLE = b"".join(EVENTS)
BODIES = {"event": EVENTS, "large": [WHOLE[at : at + LARGE] for at in range(0, len(WHOLE), LARGE)]}


class Memory(httpx.BaseTransport):
    """Answers any request with a stream of these chunks."""

    def __init__(self, chunks: list[bytes]) -> None:
        self.chunks = chunks

    def handle_request(self, _: httpx.Request) -> httpx.Response:
        """Answer."""
        return httpx.Response(200, headers={"Content-Type": "text/event-stream"}, content=iter(self.chunks))


def ours(http: httpx.Client) -> None:
    """Read all states through a client."""
    from skills_video import Client, kling_v2_6
    from skills_video_runtime.testing import forget_generations

    client = Client("a-key", "http://127.0.0.1:1", http_client=http)
    forget_generations(client)  # each stream tells the same id
    payload = kling_v2_6.TextImageToVideo(prompt="neon rain")
    *_, last = client.stream(payload)
    assert last.status == "COMPLETED"


def bare(http: httpx.Client) -> None:
    """Decode and parse the same events."""
    with http.stream("POST", "http://127.0.0.1:1/", json={"prompt": "neon rain"}) as response:
        for event in EventSource(response).iter_sse():
            state = json.loads(event.data)
    assert state["status"] == "COMPLETED"


read = ours if WHO == "ours" else bare
read(httpx.Client(transport=Memory(EVENTS[-2:])))
figures = {}
for name, chunks in BODIES.items():
    cpu = time.process_time()
    read(httpx.Client(transport=Memory(chunks)))
    figures[name] = time.process_time() - cpu
print(json.dumps(figures))
