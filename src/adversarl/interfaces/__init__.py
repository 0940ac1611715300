"""What a plugin implements: one module per kind."""
