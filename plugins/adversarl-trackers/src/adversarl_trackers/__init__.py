"""Trackers for AdversaRL: TensorBoard without a learning framework, and W&B."""
