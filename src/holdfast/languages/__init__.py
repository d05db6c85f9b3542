"""The languages in which people outside are spoken to: one ``.po`` file each.

English stands in the code itself and is the key; ``nb.po`` beside this file is
Norwegian. A platform puts files of its own into ``HOLDFAST_HOME/languages``: one named
as ours changes single texts of it (``en.po`` changes English ones), any other adds a
language. ``python -m holdfast.languages`` says what is not translated yet.

The staff's console is in English and is not in these files.
"""
