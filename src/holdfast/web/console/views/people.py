"""Who works here, and what they may do. Passwords are shown once, to be handed over."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse

from holdfast.base.by import Permission
from holdfast.base.errors import NotFound
from holdfast.staff import operations as staff
from holdfast.staff.queries import PersonLine, people, person_of
from holdfast.web.console.forms import AddPerson, Roles
from holdfast.web.console.page import FormPage, Page, role_words
from holdfast.web.console.words import ROLE_HINTS


class PeoplePage(FormPage):
    """Everybody, and a form for somebody new."""

    needs = Permission.STAFF_MANAGE
    template = "console/people.html"

    def form(self, data: Any = None) -> AddPerson:
        """Name, address, roles."""
        return AddPerson(data)

    def done(self, form: forms.Form) -> HttpResponse:
        """Add them and show the first password, this once."""
        added = staff.add_person(**form.cleaned_data, by=self.by)
        return self.show(
            "console/password_once.html", _once(added, form.cleaned_data["name"])
        )

    def around(self) -> dict[str, Any]:
        """The list."""
        rows = [{"person": each, "roles": role_words(each)} for each in people(self.by)]
        return {"rows": rows, "hints": {"roles": ROLE_HINTS}}


class PersonPage(FormPage):
    """One person: roles, a reset, the end of their access."""

    needs = Permission.STAFF_MANAGE
    template = "console/person.html"

    def form(self, data: Any = None) -> Roles:
        """The roles they have."""
        return Roles(data, initial={"roles": self._person().roles})

    def done(self, form: forms.Form) -> HttpResponse:
        """Give them these roles instead."""
        person = self._person()
        staff.give_roles(
            person_id=person.id, roles=form.cleaned_data["roles"], by=self.by
        )
        return self.go("person", person=person.id, said="The roles are changed.")

    def around(self) -> dict[str, Any]:
        """Who it is."""
        person = self._person()
        return {
            "person": person,
            "myself": person.id == person_of(self.by),
            "hints": {"roles": ROLE_HINTS},
        }

    def _person(self) -> PersonLine:
        return _find(self)


class Deactivate(Page):
    """End somebody's access."""

    http_method_names = ["post"]
    needs = Permission.STAFF_MANAGE

    def post(self, request: HttpRequest, person: UUID) -> HttpResponse:
        """Now."""
        staff.deactivate(person_id=person, by=self.by)
        return self.go("people", said="Their access has ended, and their sessions too.")


class Reset(Page):
    """Let somebody who lost everything begin again."""

    http_method_names = ["post"]
    needs = Permission.STAFF_MANAGE

    def post(self, request: HttpRequest, person: UUID) -> HttpResponse:
        """A new first password, shown this once."""
        line = _find(self)
        added = staff.reset_sign_in(person_id=person, by=self.by)
        return self.show("console/password_once.html", _once(added, line.name))


def _find(page: Page) -> PersonLine:
    wanted = page.kwargs["person"]
    found = next((each for each in people(page.by) if each.id == wanted), None)
    if found is None:
        raise NotFound("There is no such person.", person=wanted)
    return found


def _once(added: staff.Added, name: str) -> dict[str, Any]:
    return {"password": added.one_time_password, "name": name}
