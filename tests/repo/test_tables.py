"""Every stored field says what kind of thing it is."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.core.management import call_command

from holdfast.base.privacy import Privacy


def test_every_field_has_a_privacy_class() -> None:
    for table in apps.get_app_config("holdfast").get_models():
        named: dict[str, Privacy] = table.privacy  # type: ignore[attr-defined]  # Every table of ours has it; this test is what proves it.
        fields = {field.name for field in table._meta.concrete_fields}
        assert fields == set(named), table.__name__


@pytest.mark.django_db
def test_migrations_are_complete() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
