"""`python -m skills_video_runtime.sandbox`."""

from __future__ import annotations

import sys

from skills_video_runtime.sandbox.command import main

if __name__ == "__main__":
    sys.exit(main())
