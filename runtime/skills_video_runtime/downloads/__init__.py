"""Finished files, to disk."""

MAX_BYTES = 4 * 2**30  # that one file may have, unless told otherwise: our choice
