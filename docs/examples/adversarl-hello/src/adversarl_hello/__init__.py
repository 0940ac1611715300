"""The smallest real AdversaRL plugin."""
