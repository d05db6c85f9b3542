"""A small world for tests: a policy, a platform, items, pictures, a report.

Everything is made by the same operations that the product uses.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from PIL import Image
from skimage import data as photographs

import holdfast
from holdfast.base import clock
from holdfast.base.by import SYSTEM, By, Permission
from holdfast.flow import settle_arrival
from holdfast.intake.models import Channel
from holdfast.intake.operations import (
    Received,
    ReportGiven,
    TargetGiven,
    receive_report,
)
from holdfast.items.keys import PlatformGiven, put_platform
from holdfast.items.models import Item
from holdfast.items.operations import ActorGiven, ItemGiven, MediaGiven
from holdfast.items.operations import put_actor as tell_of_actor
from holdfast.items.operations import put_item as tell_of_item
from holdfast.policy.operations import adopt_policy

POLICY = Path(holdfast.__file__).parent / "policy" / "default.yaml"
PLATFORM_BY = By("platform", "test", frozenset(Permission))


def photograph(name: str = "astronaut", size: int = 400) -> Image.Image:
    """A real photograph from scikit-image's wheel."""
    return (
        Image.fromarray(getattr(photographs, name)())
        .convert("RGB")
        .resize((size, size))
    )


def encoded(picture: Image.Image, kind: str = "JPEG", quality: int = 90) -> bytes:
    """A picture as a file."""
    out = io.BytesIO()
    picture.save(out, kind, quality=quality)
    return out.getvalue()


@dataclass
class World:
    """One platform and what stands on it."""

    platform_id: UUID = field(default_factory=lambda: _platform("plaza"))

    def actor(self, name: str) -> UUID:
        """An account."""
        return tell_of_actor(
            self.platform_id, name, ActorGiven(screen_name=name), by=PLATFORM_BY
        )[0]

    def post(
        self,
        name: str,
        *pictures: bytes,
        actor: str = "poster",
        repost_of: str = "",
        text: str = "",
        kind: str = "post",
    ) -> Item:
        """A post with pictures, fingerprinted and compared as on arrival."""
        told = tell_of_item(
            self.platform_id,
            name,
            ItemGiven(
                kind=kind,
                posted_at=clock.now(),
                actor=actor,
                url=f"https://plaza.example/p/{name}",
                text=text,
                repost_of=repost_of,
                media=[MediaGiven(data=each, name="picture.jpg") for each in pictures],
            ),
            by=PLATFORM_BY,
        )
        if told.event is not None:
            settle_arrival(told.event)
        return Item.objects.get(id=told.id)

    def report(
        self,
        *urls: str,
        category: str = "child_sexual_abuse_material",
        claims: tuple[str, ...] = (),
        police_number: str = "",
        items: tuple[str, ...] = (),
        words: str = "",
        wants_codename: bool = False,
    ) -> Received:
        """A report through the front door."""
        targets = [TargetGiven(url=url) for url in urls]
        targets += [TargetGiven(item=item) for item in items]
        return receive_report(
            ReportGiven(
                platform_id=self.platform_id,
                channel=Channel.PORTAL,
                category=category,
                targets=targets,
                claims=claims,
                police_number=police_number,
                words=words,
                wants_codename=wants_codename,
            ),
            by=By("public", "portal", frozenset({Permission.REPORT_FILE})),
        )


def new_world() -> World:
    """A world with a policy in force."""
    adopt_policy(POLICY.read_text(), by=SYSTEM)
    return World()


def _platform(slug: str) -> UUID:
    return put_platform(
        PlatformGiven(
            slug=slug,
            name=slug.title(),
            url=f"https://{slug}.example",
            hosts=[f"{slug}.example", f"m.{slug}.example"],
            aliases=[
                {
                    "pattern": rf"{slug}\.example/s/([a-z0-9-]+)",
                    "url": rf"{slug}.example/p/\1",
                }
            ],
        ),
        by=SYSTEM,
    )
