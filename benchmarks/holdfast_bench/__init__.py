"""Measurements, each beside the named peer in one process and one run.

``holdfast bench NAME --json FILE`` runs one and writes one JSON object. A test never
asserts a time: these are for reading, and docs/reference/speed.md is made from them.
"""
