"""Asking for a generation, one time after the other, with one client: milliseconds each, wall and CPU."""

import json
import sys
import time

WHO, ADDRESS = sys.argv[1:]
URL = f"{ADDRESS}/now"
TIMES, WARM = 1000, 50

if WHO == "ours":
    from skills_video import Client

    client = Client("a-key", URL)

    def poll() -> object:
        """Ask for the state."""
        return client.get("gen_1")

else:
    import httpx

    http = httpx.Client(headers={"Authorization": "Bearer a-key"})

    def poll() -> object:
        """Ask for the same, and parse the answer."""
        return json.loads(http.get(f"{URL}/generation/gen_1").content)


for _ in range(WARM):
    poll()
wall, cpu = time.perf_counter(), time.process_time()
for _ in range(TIMES):
    poll()
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
print(json.dumps({"wall": wall / TIMES * 1000, "cpu": cpu / TIMES * 1000}))
