"""The nine days, replayed: ``holdfast demo``.

A small social network (``examples/plaza``) full of harmless photographs, people who
look and pass on, a report, and everything that follows, between real programs over
real HTTP. Nothing here is part of the product: it uses Holdfast from outside, as a
platform, a reporter and a reviewer do, and reads the database only to measure.
"""
