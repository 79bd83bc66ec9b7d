"""What a package is built with beyond pyproject.toml: a README that holds elsewhere, and the packed description."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

PACKED = "openapi.json.gz"


class Readme(MetadataHookInterface):
    """README.md for a package index: links and pictures get the repository's address, as paths lead nowhere there."""

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the text of the project's page."""
        source = metadata["urls"]["Source"]
        text = Path(self.root, "README.md").read_text("utf-8")
        text = re.sub(r"(!\[[^]]*\]\()(?!https?:)", rf"\1{source}/raw/main/", text)
        text = re.sub(r"(\]\()(?!https?:|#)", rf"\1{source}/blob/main/", text)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


class Description(BuildHookInterface):
    """The description that the sandbox judges by: packed, it is a fortieth of its size."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add it to a wheel; an editable installation reads that of the checkout."""
        if version == "editable":
            return
        packed = Path(self.directory, PACKED)
        packed.parent.mkdir(parents=True, exist_ok=True)
        packed.write_bytes(gzip.compress(Path(self.root, "specs", "openapi.json").read_bytes(), mtime=0))
        build_data["force_include"][str(packed)] = f"skills_video_runtime/sandbox/{PACKED}"

    def finalize(self, *_: object) -> None:
        """Leave nothing beside the wheel."""
        Path(self.directory, PACKED).unlink(missing_ok=True)
