"""Setting things up: platforms and keys, staff, policies, authorities."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from holdfast.authorities.operations import add_account, go_live
from holdfast.base.errors import NotFound
from holdfast.cli.operator import OPERATOR
from holdfast.items.keys import PlatformGiven, create_key, put_platform
from holdfast.items.queries import PlatformLine, platforms
from holdfast.policy.operations import adopt_policy
from holdfast.policy.queries import current
from holdfast.staff.operations import add_person

app = typer.Typer()
platform = typer.Typer(help="Register platforms, and their keys.")
staff = typer.Typer(help="Add staff.")
policy = typer.Typer(help="Adopt a policy.")
authority = typer.Typer(help="Set up the way to an authority.")
app.add_typer(platform, name="platform")
app.add_typer(staff, name="staff")
app.add_typer(policy, name="policy")
app.add_typer(authority, name="authority")
console = Console()


@platform.command("put")
def put(
    slug: str,
    name: str = typer.Option(..., help="As people know it."),
    url: str = typer.Option(..., help="Its address."),
    host: list[str] = typer.Option([], help="A host of its URLs; repeat."),
    media_host: list[str] = typer.Option([], help="A host media come from; repeat."),
    webhook_url: str = typer.Option("", help="Where freezes are posted."),
    webhook_secret: str = typer.Option("", help="whsec_…, shared with the platform."),
    lookup_url: str = typer.Option("", help="Asked what an unknown URL means."),
) -> None:
    """Register a platform, or change it."""
    given = PlatformGiven(
        slug=slug,
        name=name,
        url=url,
        hosts=host,
        media_hosts=media_host,
        webhook_url=webhook_url,
        webhook_secret=webhook_secret,
        lookup_url=lookup_url,
    )
    put_platform(given, by=OPERATOR)
    console.print(f"{slug} is registered. Next: holdfast platform key {slug} LABEL")


@platform.command("key")
def key(slug: str, label: str) -> None:
    """A new API key for a platform; shown this once."""
    token = create_key(_platform(slug).id, label, by=OPERATOR)
    console.print(token, soft_wrap=True, highlight=False)


@platform.command("list")
def list_() -> None:
    """All platforms."""
    table = Table("slug", "name", "url", "hosts")
    for line in platforms():
        table.add_row(line.slug, line.name, line.url, " ".join(line.hosts))
    console.print(table)


@staff.command("add")
def add(
    email: str,
    name: str,
    role: list[str] = typer.Option(
        ...,
        help="reviewer, specialist, lead, legal, administrator, auditor; repeat.",
    ),
) -> None:
    """Add a member of staff; prints the password for the first sign-in."""
    added = add_person(email=email, name=name, roles=role, by=OPERATOR)
    console.print(
        f"{email} signs in once with {added.one_time_password}", highlight=False
    )


@policy.command("adopt")
def adopt(file: Path) -> None:
    """Put a policy in force. Decisions from now on quote its version."""
    adopted = adopt_policy(file.read_text(), by=OPERATOR)
    console.print(f"Policy {adopted.version} is in force.")


@policy.command("show")
def show() -> None:
    """The policy in force: its categories."""
    table = Table("category", "child safety", "freezes", "urgency", "refers to")
    for each in current().categories:
        table.add_row(
            each.code,
            "yes" if each.child_safety else "",
            "yes" if each.freeze else "",
            each.urgency,
            " ".join(each.refer_to),
        )
    console.print(f"Policy {current().version}")
    console.print(table)


@authority.command("add")
def add_authority(
    slug: str = typer.Argument(help="The platform."),
    name: str = typer.Argument(help="The authority, such as cybertipline."),
    base_url: str = typer.Option(..., help="The authority's test environment."),
    username: str = typer.Option(...),
    password: str = typer.Option(..., prompt=True, hide_input=True),
    email: str = typer.Option(..., help="The reporting person's e-mail address."),
    person: str = typer.Option("", help="The reporting person's name."),
) -> None:
    """Set up a TEST account; what is sent there counts as NOT FILED."""
    add_account(
        platform_id=_platform(slug).id,
        authority=name,
        environment="test",
        base_url=base_url,
        username=username,
        password=password,
        reporting_email=email,
        reporting_person=person,
        by=OPERATOR,
    )
    console.print(f"{name} is set up for {slug}, as a TEST environment.")


@authority.command("go-live")
def live(
    slug: str = typer.Argument(help="The platform."),
    name: str = typer.Argument(help="The authority."),
    base_url: str = typer.Option(..., help="The authority's production environment."),
    username: str = typer.Option(...),
    password: str = typer.Option(..., prompt=True, hide_input=True),
    email: str = typer.Option(..., help="The reporting person's e-mail address."),
    person: str = typer.Option("", help="The reporting person's name."),
) -> None:
    """Go live: referrals are filed from now on. The account is tried first."""
    go_live(
        platform_id=_platform(slug).id,
        authority=name,
        base_url=base_url,
        username=username,
        password=password,
        reporting_email=email,
        reporting_person=person,
        by=OPERATOR,
    )
    console.print(f"{name} is live for {slug}.")


def _platform(slug: str) -> PlatformLine:
    for line in platforms():
        if line.slug == slug:
            return line
    raise NotFound(f"There is no platform {slug!r}. See: holdfast platform list")
