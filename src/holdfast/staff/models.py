"""The people who sign in: staff with their roles, and guests without any.

A guest belongs to another organisation and works on a page of its own. Both have the
same password and second factor, and stand in one table; ``Person.objects`` sees staff
alone, so that no question about who works here is ever answered with a guest.
"""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from holdfast.base.ids import uuid7
from holdfast.base.models import Row
from holdfast.base.privacy import classes


class Staff(models.Manager["Person"]):
    """Who works here; the first manager of the table, so that it is what is meant."""

    def get_queryset(self) -> models.QuerySet[Person]:
        """Nobody else."""
        return super().get_queryset().filter(is_guest=False)


class Guests(models.Manager["Person"]):
    """Who signs in for another organisation."""

    def get_queryset(self) -> models.QuerySet[Person]:
        """Nobody who works here."""
        return super().get_queryset().filter(is_guest=True)


class Person(AbstractBaseUser):
    """Somebody who signs in. The e-mail address is the name for it, in lower case."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    roles = ArrayField(models.CharField(max_length=40), default=list)
    is_active = models.BooleanField(default=True)
    totp_secret = models.TextField(blank=True)
    """The TOTP secret, encrypted; blank before enrolment."""
    totp_last_step = models.BigIntegerField(default=0)
    """The last time step that was used, so that a code works once (RFC 6238, 5.2)."""
    failed_sign_ins = models.PositiveIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)
    on_call = models.BooleanField(default=False)
    languages = ArrayField(models.CharField(max_length=35), default=list)
    """What they read, as in BCP 47; empty: they have not said."""
    is_guest = models.BooleanField(default=False)
    """Whether they belong to another organisation: no role, no page of the console."""
    added_at = models.DateTimeField()

    objects = Staff()
    guests = Guests()
    everybody = models.Manager()
    """Both, for what is the same for both: a code, an address that is in use."""

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    privacy = classes(
        operational="id roles is_active failed_sign_ins locked_until on_call"
        " languages is_guest added_at last_login",
        personal="email name",
        secret="password totp_secret totp_last_step",
    )

    class Meta:
        db_table = "hf_person"
        constraints = [
            models.CheckConstraint(
                condition=Q(is_guest=False) | Q(roles=[], on_call=False),
                name="guest_has_no_role",
            )
        ]


class RecoveryCode(Row):
    """A one-time code for who lost the second factor; only its hash is kept."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    code_hash = models.CharField(max_length=128)
    used_at = models.DateTimeField(null=True)

    privacy = classes(operational="id person used_at", secret="code_hash")

    class Meta:
        db_table = "hf_recovery_code"
