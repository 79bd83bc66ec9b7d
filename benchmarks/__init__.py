"""What it costs, beside others who do the same: `make bench`."""
