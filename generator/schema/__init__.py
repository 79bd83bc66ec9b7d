"""What a schema means: from JSON Schema to types, and what can be known of types."""
