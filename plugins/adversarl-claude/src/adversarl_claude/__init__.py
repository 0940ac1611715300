"""Claude as curriculum, failure classifier and reward detector."""
