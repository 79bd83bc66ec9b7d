"""Generations one after the other over the stream, with one client: milliseconds each, wall and CPU."""

import json
import sys
import time

WHO, ADDRESS = sys.argv[1:]
URL = f"{ADDRESS}/now"
TIMES, WARM = 400, 40
FIELDS = {"prompt": "neon rain, slow dolly", "duration": 10, "aspect_ratio": "16:9"}

if WHO == "ours":
    from skills_video import Client, kling_v2_6

    client = Client("a-key", URL)
    payload = kling_v2_6.TextImageToVideo(**FIELDS)

    def generate() -> object:
        """Follow a generation."""
        return client.generate(payload)

else:
    import httpx
    from httpx_sse import EventSource

    http = httpx.Client(headers={"Authorization": "Bearer a-key"})
    BODY = {"feature": "text-image-to-video", **FIELDS}

    def generate() -> object:
        """Post the same body, parse each event, and give the last one."""
        with http.stream(
            "POST",
            f"{URL}/generation/sse/kling-ai/kling-v2.6",
            json=BODY,
            headers={"Accept": "text/event-stream"},
        ) as response:
            response.raise_for_status()
            for event in EventSource(response).iter_sse():
                state = json.loads(event.data)
        assert state["status"] == "COMPLETED"
        return state


for _ in range(WARM):
    generate()
wall, cpu = time.perf_counter(), time.process_time()
for _ in range(TIMES):
    generate()
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
print(json.dumps({"wall": wall / TIMES * 1000, "cpu": cpu / TIMES * 1000}))
