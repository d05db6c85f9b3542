"""The people who work here: sign-in, second factor, roles."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.postgres.fields import ArrayField
from django.db import models

from holdfast.base.ids import uuid7
from holdfast.base.models import Row
from holdfast.base.privacy import classes


class Person(AbstractBaseUser):
    """A member of staff. The e-mail address is the sign-in name, in lower case."""

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
    added_at = models.DateTimeField()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    privacy = classes(
        operational="id roles is_active failed_sign_ins locked_until on_call added_at"
        " last_login",
        personal="email name",
        secret="password totp_secret totp_last_step",
    )

    class Meta:
        db_table = "hf_person"


class RecoveryCode(Row):
    """A one-time code for who lost the second factor; only its hash is kept."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    code_hash = models.CharField(max_length=128)
    used_at = models.DateTimeField(null=True)

    privacy = classes(operational="id person used_at", secret="code_hash")

    class Meta:
        db_table = "hf_recovery_code"
