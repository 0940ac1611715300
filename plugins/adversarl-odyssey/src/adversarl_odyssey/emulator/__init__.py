"""A server that speaks the protocol of Odyssey's service; its pictures come from a world of ours."""
