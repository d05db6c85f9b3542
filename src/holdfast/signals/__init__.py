"""Signals: what can be computed from media alone.

Digests, PDQ fingerprints and exact search over them. Everything here is pure: no
framework, no network, no database, no clock. A plain reference stands beside each
fast routine, and the tests hold the two equal.
"""
