"""What may be sent: payload classes, their checks, and files."""
