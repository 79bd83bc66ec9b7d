"""From a client that is made to the first byte that the server has, in milliseconds.

`first` is about the first client of a process and begins before httpx is imported, by whoever imports it; `all` begins
before skills_video is. `second` is about a second client.
"""

import json
import sys
import time

WHO, ADDRESS = sys.argv[1:]
URL = f"{ADDRESS}/now"


def ours() -> tuple[float, float]:
    """Make a client and ask for a generation; give when that began, and when the server had the first byte."""
    from skills_video import Client

    began = time.monotonic()
    with Client("a-key", URL) as client:
        raw = client.get("gen_1").raw
    return began, float(str(raw["received"]))


def bare() -> tuple[float, float]:
    """Do the same with httpx alone."""
    began = time.monotonic()
    import httpx

    with httpx.Client(headers={"Authorization": "Bearer a-key"}) as client:
        body = json.loads(client.get(f"{URL}/generation/gen_1").content)
    return began, float(body["received"])


ask = ours if WHO == "ours" else bare
start = time.monotonic()
began, received = ask()
figures = {"all": (received - start) * 1000, "first": (received - began) * 1000}
began, received = ask()
figures["second"] = (received - began) * 1000
print(json.dumps(figures))
