"""The version that is installed. pyproject.toml has it, and nothing else."""

from importlib import metadata

__version__ = metadata.version("skills-video")
