"""`python -m benchmarks [ROW …]`: measure all rows, or these; print the table, and write it to RESULTS.md."""

from __future__ import annotations

import argparse
import sys
import time

from . import results
from .measure import RunError
from .rows import HERE, ROWS

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"any of {', '.join(ROWS)}; all by default")
    chosen: list[str] = parser.parse_args().rows or list(ROWS)
    if unknown := [name for name in chosen if name not in ROWS]:
        parser.error(f"there is no row {', '.join(unknown)}; the rows are {', '.join(ROWS)}")
    about = [f"- **{name}**: {row.about}" for name, row in ROWS.items()]
    failed = False
    print(*results.HEAD, sep="\n", flush=True)
    for name in dict.fromkeys(chosen):
        began = time.monotonic()
        lines: list[results.Line] = []
        try:
            lines.extend(ROWS[name].measure())
        except KeyboardInterrupt:
            sys.exit(130)
        except RunError as error:
            failed = True
            lines.append(results.told("the rest", "could not be measured", goal="-", met=None))
            print(f"{name}: {error}", file=sys.stderr)
        rows = results.table({name: lines}, results.machine())
        print(*rows[name], sep="\n", flush=True)
        print(f"{name} took {time.monotonic() - began:.0f} s", file=sys.stderr)
        results.write(HERE / "RESULTS.md", rows, list(ROWS), about)
    sys.exit(failed)
