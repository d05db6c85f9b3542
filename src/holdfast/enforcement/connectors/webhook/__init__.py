"""Signed webhooks to an address that the operator has entered."""
