"""From the moment at which the server writes the last event until the caller has it: milliseconds, median of a run."""

import json
import sys
import time
from statistics import median

WHO, ADDRESS = sys.argv[1:]
TIMES, WARM = 60, 5

if WHO == "ours":
    from skills_video import Client, kling_v2_6

    payload = kling_v2_6.TextImageToVideo(prompt="neon rain")

    def generate(client: Client) -> float:
        """Follow a generation, and give when its last event was written."""
        return float(str(client.generate(payload).raw["written"]))

    def make(url: str) -> Client:
        """Make a client."""
        return Client("a-key", url)

else:
    import httpx
    from httpx_sse import EventSource

    def generate(client: httpx.Client) -> float:
        """Do the same: parse each event, and leave the stream with the finished one."""
        with client.stream("POST", "/generation/sse/kling-ai/kling-v2.6", json={"prompt": "neon rain"}) as response:
            for event in EventSource(response).iter_sse():
                state = json.loads(event.data)
                if state["status"] == "COMPLETED":
                    break
        return float(state["written"])

    def make(url: str) -> httpx.Client:
        """Make a client."""
        return httpx.Client(base_url=url, headers={"Authorization": "Bearer a-key"})


figures = {}
for mode, times in (("paced", TIMES), ("late", TIMES // 6)):
    took = []
    with make(f"{ADDRESS}/{mode}") as one:
        for _ in range(WARM + times):
            written = generate(one)
            took.append((time.monotonic() - written) * 1000)
    figures[mode] = median(took[WARM:])
print(json.dumps(figures))
