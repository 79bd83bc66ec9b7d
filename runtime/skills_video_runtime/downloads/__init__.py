"""Finished files, to disk."""
