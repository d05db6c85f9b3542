"""What every table stands on, and the table of events."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now

from holdfast.base.fields import CurrentTransaction, XidField
from holdfast.base.ids import uuid7
from holdfast.base.privacy import Privacy, classes


class Row(models.Model):
    """A row named by a UUID version 7, with the privacy class of each field."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    privacy: ClassVar[dict[str, Privacy]]

    class Meta:
        abstract = True


class Event(models.Model):
    """One thing that happened. Append-only: a trigger refuses change and deletion.

    ``about`` names the rows concerned (``{"case": id, "item": id, …}``), ``facts``
    holds enumerations and numbers. Neither holds content, a name or an address: an
    event is kept for ever and goes into the public log as a hash.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=64)
    at = models.DateTimeField(db_default=Now())
    by = models.CharField(max_length=120)
    about = models.JSONField(default=dict)
    facts = models.JSONField(default=dict)
    cause = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="+"
    )
    xid = XidField(db_default=CurrentTransaction())

    privacy = classes(operational="id kind at by about facts cause xid")

    class Meta:
        db_table = "hf_event"
        indexes = [
            GinIndex(fields=["about"], name="event_about"),
            models.Index(fields=["xid"], name="event_xid"),
            models.Index(fields=["kind", "at"], name="event_kind"),
        ]

    @cached_property
    def kept(self) -> dict[str, Any]:
        """What one step has read and the next would read again. Never stored."""
        return {}
