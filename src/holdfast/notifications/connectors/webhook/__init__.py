"""The signed webhook of the on-call list."""
