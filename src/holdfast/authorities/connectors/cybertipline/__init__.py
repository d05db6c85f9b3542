"""The CyberTipline of NCMEC: how a referral is written, filed and acknowledged there.

``model.py`` says what is sent, ``convert.py`` what it means, ``schema.py`` whether it
is valid, ``client.py`` sends it, ``answers.py`` reads what comes back and says what to
do, and ``fake.py`` is a local double to test against. Start with README.md.
"""
