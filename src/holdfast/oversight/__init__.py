"""Stage 12: are the promises kept?"""
