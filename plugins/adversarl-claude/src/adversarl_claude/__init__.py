"""Claude as curriculum and as failure classifier."""
