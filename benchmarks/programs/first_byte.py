"""From the first client of a process, and from its second, to the first byte that the server has: milliseconds."""

import json
import sys
import time

WHO, ADDRESS = sys.argv[1:]
URL = f"{ADDRESS}/now"


def ours() -> float:
    """Make a client and ask for a generation."""
    began = time.monotonic()
    from skills_video import Client

    with Client("a-key", URL) as client:
        raw = client.get("gen_1").raw
    return (float(str(raw["received"])) - began) * 1000


def bare() -> float:
    """Do the same with httpx alone."""
    began = time.monotonic()
    import httpx

    with httpx.Client(headers={"Authorization": "Bearer a-key"}) as client:
        body = json.loads(client.get(f"{URL}/generation/gen_1").content)
    return (body["received"] - began) * 1000


measure = ours if WHO == "ours" else bare
first = measure()
print(json.dumps({"first": first, "second": measure()}))
