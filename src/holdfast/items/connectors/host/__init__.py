"""Asking the host platform: for its media, and which item an address means."""
