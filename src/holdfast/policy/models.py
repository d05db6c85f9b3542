"""Policies have versions; a decision names the one it was made under."""

from __future__ import annotations

from django.db import models

from holdfast.base.models import Row
from holdfast.base.privacy import classes


class PolicyVersion(Row):
    """One adopted policy document, whole and unchangeable."""

    version = models.CharField(max_length=64, unique=True)
    digest = models.CharField(max_length=64)
    document = models.TextField()
    adopted_at = models.DateTimeField()
    adopted_by = models.CharField(max_length=120)

    privacy = classes(operational="id version digest document adopted_at adopted_by")

    class Meta:
        db_table = "hf_policy_version"
