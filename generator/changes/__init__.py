"""What an update means for callers: two revisions of the inputs, compared."""
