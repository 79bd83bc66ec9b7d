"""Turns openapi.json and docs.json into one exact typed module per video model."""

VERSION = "0.1.0"
"""The version that MANIFEST.json names; the distribution's own."""
