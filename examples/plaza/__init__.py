"""Plaza: a small social network that keeps its people safe with Holdfast.

It is a program of its own and knows Holdfast by its API and webhooks alone. Read
``trust.py``: it holds everything about Holdfast. ``docs/guides/integrate.md`` follows
it step by step.
"""
