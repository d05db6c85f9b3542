"""The signals of each piece of media: its digests, and the views it is compared by."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from holdfast.base.fields import CurrentTransaction, XidField
from holdfast.base.privacy import classes
from holdfast.items.models import Item, Media, Platform
from holdfast.signals.sign import Part


class Fingerprint(models.Model):
    """What is known of one piece of media: the file as a whole."""

    id = models.BigAutoField(primary_key=True)
    media = models.OneToOneField(
        Media, on_delete=models.CASCADE, related_name="fingerprint"
    )
    item = models.ForeignKey(
        Item, on_delete=models.CASCADE, related_name="fingerprints"
    )
    platform = models.ForeignKey(Platform, on_delete=models.PROTECT, related_name="+")
    sha256 = models.BinaryField(max_length=32)
    md5 = models.BinaryField(max_length=16)
    """Compared with banks that know nothing better; it can be forged."""
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    duration_ms = models.PositiveBigIntegerField(null=True)
    """None for a still picture, and for what could not be decoded."""
    only_keyframes = models.BooleanField(default=False)
    """A video's quick first pass; the whole of it is looked at soon."""
    incomplete = models.CharField(max_length=64, blank=True)
    """Why the rest of a video or an animation has no views; blank if all has."""
    made_at = models.DateTimeField()

    privacy = classes(
        operational="id media item platform width height duration_ms only_keyframes"
        " incomplete made_at",
        content="sha256 md5",
    )

    class Meta:
        db_table = "hf_fingerprint"
        indexes = [
            models.Index(fields=["sha256"], name="fingerprint_sha256"),
            models.Index(fields=["md5"], name="fingerprint_md5"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(only_keyframes=False) | Q(duration_ms__isnull=False),
                name="keyframes_of_a_video",
            )
        ]


class PictureFeatures(models.Model):
    """The local features of a picture: crops and screenshots are found by them.

    There is a row where the extra that extracts them is installed and the picture has
    any, written together with its fingerprint. All of it is encrypted: it holds a small
    grey copy of the picture, and what the points look like gives the picture away too.
    """

    id = models.BigAutoField(primary_key=True)
    fingerprint = models.OneToOneField(
        Fingerprint, on_delete=models.CASCADE, related_name="features"
    )
    media = models.ForeignKey(Media, on_delete=models.CASCADE, related_name="+")
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="+")
    platform = models.ForeignKey(
        Platform, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    sealed = models.BinaryField()
    """``signals.features.Features``, with the installation's key; about 20 kB."""
    xid = XidField(db_default=CurrentTransaction())

    privacy = classes(
        operational="id fingerprint media item platform xid", secret="sealed"
    )

    class Meta:
        db_table = "hf_features"
        indexes = [models.Index(fields=["platform", "xid"], name="features_xid")]


class View(models.Model):
    """One thing to compare by: a picture, a picture without its border, a frame.

    ``item`` and ``platform`` are the fingerprint's own, repeated because a hit of the
    search is narrowed down by them at once. ``xid`` is the transaction that wrote the
    row: the search reads by it, because rows become visible in the order of their
    commits and not of their numbers.
    """

    id = models.BigAutoField(primary_key=True)
    fingerprint = models.ForeignKey(
        Fingerprint, on_delete=models.CASCADE, related_name="views"
    )
    media = models.ForeignKey(
        Media, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    item = models.ForeignKey(
        Item, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    platform = models.ForeignKey(
        Platform, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    part = models.CharField(
        max_length=8, choices=[(each.value, each.value) for each in Part]
    )
    at_ms = models.PositiveBigIntegerField(null=True)
    """When it is seen in a video or an animation; None for a still."""
    pdq = models.BinaryField(max_length=32, null=True)
    """None where the quality is too low to compare."""
    variants = models.BinaryField(max_length=7 * 32, null=True)
    """The other seven turned and mirrored fingerprints, one after the other in Meta's
    order; None where turns are not kept."""
    quality = models.PositiveSmallIntegerField(default=0)
    """PDQ's quality figure, 0 to 100."""
    xid = XidField(db_default=CurrentTransaction())

    privacy = classes(
        operational="id fingerprint media item platform part at_ms quality xid",
        content="pdq variants",
    )

    class Meta:
        db_table = "hf_view"
        indexes = [models.Index(fields=["xid"], name="view_xid")]
        constraints = [
            models.CheckConstraint(condition=Q(quality__lte=100), name="pdq_quality"),
            models.CheckConstraint(
                condition=Q(variants__isnull=True) | Q(pdq__isnull=False),
                name="variants_of_a_pdq",
            ),
        ]
