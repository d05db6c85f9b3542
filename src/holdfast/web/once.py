"""The hidden box of a page that takes a report: what makes two presses one report."""

from __future__ import annotations

from django import forms

from holdfast.intake.once import token


def once_field() -> forms.CharField:
    """A token of its own for each page; a browser must not fill in an old one."""
    return forms.CharField(
        required=False,
        initial=token,
        widget=forms.HiddenInput(attrs={"autocomplete": "off"}),
    )
