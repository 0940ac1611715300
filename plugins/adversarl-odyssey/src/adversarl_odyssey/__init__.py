"""Odyssey for AdversaRL; imports nothing by itself."""
