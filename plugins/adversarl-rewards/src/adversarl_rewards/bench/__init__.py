"""``adversarl bench rewards``: what reward detectors are worth on pictures whose truth is known."""
