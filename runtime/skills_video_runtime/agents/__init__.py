"""For agents: tool schemas, and the MCP server."""
