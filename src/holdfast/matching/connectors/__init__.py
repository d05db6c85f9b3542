"""Hash exchanges: whom Holdfast gets known hashes from. Start with README.md."""
