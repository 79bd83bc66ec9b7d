"""For agents: tool schemas, the MCP server, and the texts that both and agents themselves read."""
