"""How a call gets there: connections, requests, event streams, the key. Only this room imports httpx."""
