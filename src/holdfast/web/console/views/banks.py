"""Banks and exchanges: how good each is, and what of them never comes again."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django import forms
from django.http import HttpResponse

from holdfast.base.by import Permission
from holdfast.base.errors import NotFound
from holdfast.matching import blocks
from holdfast.matching.blocks import FROM_ELSEWHERE, BlockLine
from holdfast.matching.exchange_list import exchanges
from holdfast.matching.sources import BankLine, precision_by_bank
from holdfast.policy.queries import category_of
from holdfast.web.console.bank_forms import NeverAgain, WhyBank
from holdfast.web.console.page import FormPage


class BanksPage(FormPage):
    """Every bank, what is blocked, and a form to block one hash of one bank."""

    needs = Permission.BANK_MANAGE
    template = "console/banks.html"

    def form(self, data: Any = None) -> NeverAgain:
        """Which bank, which hash, and why."""
        lines = precision_by_bank(by=self.by)
        choices = [(each.slug, each.name) for each in lines if _from_elsewhere(each)]
        return NeverAgain(data, banks=choices)

    def done(self, form: forms.Form) -> HttpResponse:
        """Take it back for good."""
        given = form.cleaned_data
        try:
            ids = blocks.entries_of_signal(given["bank"], given["signal"], by=self.by)
        except NotFound as nothing:
            form.add_error("signal", nothing.message)
            return self.asked(form, HTTPStatus.UNPROCESSABLE_ENTITY)
        blocks.block(ids, given["reason"], by=self.by)
        return self.go("banks", said="It never comes again, until somebody lifts that.")

    def around(self) -> dict[str, Any]:
        """The lists."""
        pulled = {each.slug: each for each in exchanges(by=self.by)}
        blocked = blocks.blocks(by=self.by)
        stopped = {each.bank for each in blocked if not each.signal}
        return {
            "rows": [
                {
                    "line": each,
                    "category": category_of(each.category).label
                    if each.category
                    else "",
                    "exchange": pulled.get(each.slug),
                    "share": "" if each.precision is None else f"{each.precision:.0%}",
                    "may_stop": _from_elsewhere(each) and each.slug not in stopped,
                    "stopped": each.slug in stopped,
                }
                for each in precision_by_bank(by=self.by)
            ],
            "blocks": blocked,
            "most": blocks.LISTED,
        }


class StopBank(FormPage):
    """Let nothing more come into a bank, with a reason in writing."""

    needs = Permission.BANK_MANAGE
    template = "console/stop_bank.html"

    def form(self, data: Any = None) -> WhyBank:
        """The reason."""
        return WhyBank(data)

    def done(self, form: forms.Form) -> HttpResponse:
        """Now; what it brought stays."""
        blocks.stop(self._line().slug, form.cleaned_data["reason"], by=self.by)
        return self.go("banks", said="Nothing more comes into this bank.")

    def around(self) -> dict[str, Any]:
        """The bank."""
        return {"line": self._line()}

    def _line(self) -> BankLine:
        lines = precision_by_bank(by=self.by)
        found = next((each for each in lines if each.id == self.kwargs["bank"]), None)
        if found is None:
            raise NotFound("There is no such bank.", bank=self.kwargs["bank"])
        return found


class LiftBlock(FormPage):
    """End a block, with a reason in writing."""

    needs = Permission.BANK_MANAGE
    template = "console/lift_block.html"

    def form(self, data: Any = None) -> WhyBank:
        """The reason."""
        return WhyBank(data)

    def done(self, form: forms.Form) -> HttpResponse:
        """Now; what its source has still is looked for again."""
        blocks.lift(self.kwargs["block"], form.cleaned_data["reason"], by=self.by)
        return self.go("banks", said="The block is lifted.")

    def around(self) -> dict[str, Any]:
        """The block."""
        return {"line": self._line()}

    def _line(self) -> BlockLine:
        lines = blocks.blocks(by=self.by)
        found = next((each for each in lines if each.id == self.kwargs["block"]), None)
        if found is None:
            raise NotFound("There is no such block, or it has been lifted.")
        return found


def _from_elsewhere(line: BankLine) -> bool:
    return line.kind in FROM_ELSEWHERE
