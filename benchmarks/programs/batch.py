"""Rows of a file against a sandbox, 32 at once: seconds, those of CPU, and MiB that the second half of them adds."""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from skills_video import Client, catalog
from skills_video_runtime.batch import Batch

WHO, ROWS = sys.argv[1], int(sys.argv[2])
LIMIT = 32
SANDBOX = [sys.executable, "-m", "skills_video", "sandbox", "--port", "0", "--speed", "200", "--credits", "1e9"]
memory: list[float] = []
ended: list[str] = []


def note(key: str) -> None:
    """Take note of a row that ended, and of the memory at half of them and at the end."""
    ended.append(key)
    if len(ended) in {ROWS // 2, ROWS}:
        status = Path("/proc/self/status").read_text("utf-8")
        memory.append(int(status.partition("VmRSS:")[2].split()[0]) / 1024)


with (
    TemporaryDirectory() as name,
    subprocess.Popen(SANDBOX, stdout=subprocess.PIPE, text=True) as sandbox,
):
    folder, file = Path(name) / "out", Path(name) / "jobs.jsonl"
    rows = [{"model": "google/veo-3.1", "payload": {"prompt": f"rain {number}"}} for number in range(ROWS)]
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    address = next(iter(sandbox.stdout or ())).split()[2]
    began, worked = time.perf_counter(), time.process_time()
    with Client("sandbox-key", address, poll_interval=0.5) as client:
        if WHO == "ours":
            report = Batch(client, folder, limit=LIMIT).run(
                catalog.read_rows(file), lambda outcome, _: note(outcome.key)
            )
            assert report.statuses == {"COMPLETED": ROWS}
        else:

            def make(row) -> None:  # noqa: ANN001  # of a comparison
                """Do the same without a record of anything."""
                client.download(client.generate(row.payload), folder, name="{key}-{index}{suffix}", key=row.key)
                note(row.key)

            with ThreadPoolExecutor(LIMIT) as pool:
                list(pool.map(make, catalog.read_rows(file)))
    wall, cpu = time.perf_counter() - began, time.process_time() - worked
    sandbox.kill()
print(json.dumps({"wall": wall, "cpu": cpu, "growth": memory[1] - memory[0]}))
