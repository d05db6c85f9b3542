"""StopNCII.org's service for platforms, by Meta's client for it."""
