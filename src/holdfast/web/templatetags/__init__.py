"""Template tags for the pages; see ``hf``."""
