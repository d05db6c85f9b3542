"""NCMEC's hash sharing service, by Meta's client for it."""
