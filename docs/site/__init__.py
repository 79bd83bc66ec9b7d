"""The site: what is written for it, and how it is built. `python -m docs.site` builds it; no page depends on this."""
