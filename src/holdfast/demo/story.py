"""The story, scene by scene, in the order of the real case.

Real time, labelled with the days of the real case. Everybody acts through the door
that such a person has; the story itself only says who does what when, looks whether
it happened, and takes the time. It raises ``Unavailable`` when what must happen does
not, and goes on to no later scene.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx

from holdfast.base.errors import Unavailable
from holdfast.demo.desk import Desk
from holdfast.demo.display import Display
from holdfast.demo.network import Account
from holdfast.demo.people import CATEGORY, Receipt, Reporter
from holdfast.demo.pictures import SEED, Album, Picture
from holdfast.demo.stage import Stage
from plaza.crowd import Crowd, Habits

LIFE_S = 6.0
"""How long the network lives before anybody reports, and goes on between scenes."""
PAUSE_S = 1.0
WAIT_S = 60.0
"""How long anything that must happen soon is waited for."""
BY_HAND_S = 24 * 3600.0
"""How long a visitor who decides by hand has."""
LOOK_EVERY_S = 0.02
HABITS = Habits(people=6, acts_per_s=40.0, repost_share=0.06, reupload_share=0.01)
POSTERS = 20
"""Accounts that put up the unrelated pictures."""
AT_A_TIME = 4
"""Uploads at a time while the network fills."""
BY_HAND_SETTLES_S = 15.0
"""How long what a visitor decided is given to be carried out before it is told."""
POLICE_NUMBER = "PD-2020-01-4711"


@dataclass
class Told:
    """What the story measured itself; the rest is measured inside at the end."""

    number: str = ""
    pressed_at: float = 0.0
    report_to_frozen: float | None = None
    codename: str = ""
    suspended: str = ""
    items: list[str] = field(default_factory=list)


class Story:
    """One telling of it."""

    def __init__(
        self, stage: Stage, album: Album, display: Display, *, by_hand: bool = False
    ) -> None:
        self.stage, self.album, self.display = stage, album, display
        self.plaza = stage.plaza
        self.by_hand = by_hand
        self.told = Told()
        self.reported = ""
        self.planted: dict[str, str] = {}
        """Planted picture's name → its item on the network."""
        self.people: dict[str, Account] = {}
        self._crowd: Crowd | None = None
        self._api = httpx.Client(
            base_url=f"{stage.holdfast_url}/api/v1",
            headers={"Authorization": f"Bearer {stage.key}"},
            trust_env=False,
            timeout=30,
        )

    def play(self) -> Told:
        """All scenes, in order."""
        try:
            self.fill()
            self.live()
            self.stranger()
            self.upload_again()
            self.family()
            self.decide()
            self.aftermath()
            self.return_of_the_victim()
            self.leave()
        finally:
            if self._crowd is not None:
                self._crowd.leave()
            self._api.close()
        return self.told

    # Before anybody reports.

    def fill(self) -> None:
        """Accounts join and put up their pictures."""
        self.display.scene("before", "A small network fills with pictures")
        names = ("nightowl", "sam_16", "classmate", "mirror_account", "stranger")
        self.people = {name: self.plaza.join(name) for name in names}
        posters = [self.plaza.join(f"person_{n:02}") for n in range(POSTERS)]
        chance = random.Random(SEED)
        began = time.monotonic()
        jobs = [(chance.choice(posters), each) for each in self.album.others]
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            list(pool.map(lambda job: self.plaza.post(*job), jobs))
        took = time.monotonic() - began
        self.display.tell(
            f"{len(jobs)} pictures stand on Plaza; Holdfast knows their fingerprints",
            took,
        )
        owl = self.people["nightowl"]
        self.reported = self.plaza.post(owl, self.album.reported, "look at this")
        for number, each in enumerate(self.album.planted):
            # One copy went up from the account of the person shown, who was made to;
            # the others from accounts that pass it on.
            whose = ("sam_16", "nightowl", "classmate", "mirror_account")[
                number if number < 4 else 3
            ]
            self.planted[each.name] = self.plaza.post(self.people[whose], each)
        within = sum(each.within_reach for each in self.album.planted)
        closer = sum(each.seen_closer for each in self.album.planted)
        self.display.tell(
            f"one of them will be reported; {len(self.planted)} copies of it are up,"
            f" {within} within PDQ's reach, {closer} within that of a closer look"
        )

    def live(self) -> None:
        """People look and pass on; adverts earn."""
        self.display.scene("day -n", "People look, repost and upload it again")
        self.display.watch(self._ledger)
        self._crowd = Crowd(self.plaza.url, HABITS, focus=self.reported)
        self._crowd.start()
        self.plaza.repost(self.people["classmate"], self.reported)
        time.sleep(LIFE_S)
        self.display.tell("a crowd of six lives here from now on, and never stops")

    # Reports.

    def stranger(self) -> None:
        """Day one: somebody who happens to see it presses "report"."""
        self.display.scene("25 December", "A stranger reports it, with the menu")
        self.told.pressed_at = time.time()
        began = time.monotonic()
        answer = self.plaza.report(self.reported, CATEGORY, words="This is a child.")
        while "waiting" in answer:
            # Holdfast was slow: Plaza keeps the report and sends it until it is taken.
            answer = self.plaza.receipt(answer["waiting"])
        self.told.report_to_frozen = round(time.monotonic() - began, 4)
        self.told.number = answer["number"]
        self.display.tell(
            f"report {answer['number']}: {len(answer['frozen'])} posts ordered frozen",
            self.told.report_to_frozen,
        )
        self._until(self._all_confirmed, "Plaza did not confirm the freeze")
        took = time.time() - self.told.pressed_at
        self.display.tell("Plaza has confirmed every one of them", took)
        seen = self.plaza.look(self.reported)
        self.display.tell(f"whoever looks now is answered {seen} (not available)")
        self._look_closer()

    def _look_closer(self) -> None:
        """Soon after the report: what local features find, and what nothing finds."""
        closer = [each for each in self.album.planted if each.seen_closer]
        if closer:
            items = [self.planted[each.name] for each in closer]
            self._until(
                lambda: all(self._state(item) == "frozen" for item in items),
                "What a closer look finds was not frozen",
            )
            took = time.time() - self.told.pressed_at
            self.display.tell(f"a closer look found more: {_families(closer)}", took)
        doubted = [each for each in self.album.planted if each.left_to_people]
        if doubted:
            self.display.tell(
                f"possibly a copy, left to people to say: {_families(doubted)}"
            )
        missed = [
            each
            for each in self.album.planted
            if not (each.within_reach or each.seen_closer or each.left_to_people)
        ]
        if missed:
            self.display.tell(
                "beyond reach, up until somebody reports them: " + _families(missed)
            )

    def upload_again(self) -> None:
        """Somebody kept a copy and puts it up again."""
        self.display.scene("days later", "Somebody uploads it again")
        time.sleep(PAUSE_S)
        late = self.plaza.join("late_account")
        began = time.monotonic()
        made = self.plaza.post_whole(late, self.album.reported)
        if made["state"] == "frozen":
            took = time.monotonic() - began
            self.display.tell("the same file: born frozen, nobody saw it", took)
            return
        # Plaza waits a second for Holdfast and no longer; a busy machine takes more.
        self._until(
            lambda: self._state(made["id"]) == "frozen", "The copy was not frozen"
        )
        took = time.monotonic() - began
        self.display.tell("the same file: Holdfast was slow; frozen since", took)

    def family(self) -> None:
        """The victim and his mother, through the portal, without an account."""
        self.display.scene("21 January", "He finds it, and reports it himself")
        receipt = self._report(
            f"{self.plaza.url}/m/p/{self.reported}?utm_source=share",
            "This is me. I was 13.",
            about="shown",
        )
        self.told.codename = receipt.codename
        self.display.tell(
            f"report {receipt.number}; asked for no account and no paper; he keeps five"
            " words to come back"
        )
        self.display.scene("22 January", "His mother reports it, with a police number")
        receipt = self._report(
            f"{self.plaza.url}/share/{self.reported}",
            "My son is in this. The police know.",
            about="parent",
            police_number=POLICE_NUMBER,
        )
        self.display.tell(f"report {receipt.number}, in the same case")

    def _report(
        self, address: str, words: str, *, about: str, police_number: str = ""
    ) -> Receipt:
        reporter = Reporter(self.stage.holdfast_url)
        try:
            return reporter.report(
                address, words, about=about, police_number=police_number
            )
        finally:
            reporter.close()

    # People decide.

    def decide(self) -> None:
        """Reviewers read, or the visitor does."""
        self.display.scene("people", "The desk reads the case")
        if self.by_hand:
            you = self.stage.staff["you"]
            self.display.tell(
                f"sign in at {self.stage.holdfast_url}/console/ as {you.email} with"
                f" {you.password}; the second factor is {you.secret}"
            )
            self._until(self._decided, "Nobody decided", BY_HAND_S)
        else:
            parts = {"nightowl": "offender", "sam_16": "person_shown"}
            parts |= {"classmate": "peer"}
            desk = Desk(self.stage.holdfast_url, self.stage.staff, self.display.tell)
            desk.decide(parts)
            self._until(self._decided, "The case was not decided")
        self.display.tell("decided", time.time() - self.told.pressed_at)

    def aftermath(self) -> None:
        """What follows from the decision, as others than Holdfast tell it.

        A visitor may have decided otherwise than the desk does: then what is told is
        what came of that, and only what the desk decides is waited for.
        """
        self.display.scene("at once", "Everything that follows from the decision")
        self._until(self._settled, "Plaza was told neither to remove nor to show it")
        if not self._removed():
            self.display.tell("no violation was found: Plaza shows it again")
            return
        self.display.tell("originals sealed; then removed from Plaza")
        if self.by_hand:
            time.sleep(BY_HAND_SETTLES_S)
        else:
            self._until(self._suspended, "The offender was not suspended")
            self._until(self._referred, "The referral was not finished")
        self.display.tell(f"Plaza's accounts now: {self._accounts()}")
        self.display.tell(self._referral())

    def return_of_the_victim(self) -> None:
        """The victim comes back with five words."""
        self.display.scene("30 January", "He comes back with his five words")
        time.sleep(PAUSE_S)
        reporter = Reporter(self.stage.holdfast_url)
        try:
            words = reporter.come_back(self.told.codename)
        finally:
            reporter.close()
        start = words.find("Messages")
        self.display.tell(f"he reads: {words[start : start + 400] or words[:400]}")

    def leave(self) -> None:
        """The crowd went on all the time; now it may go home."""
        assert self._crowd is not None
        self.display.scene("all the while", "The crowd went on looking and uploading")
        counts = self._crowd.leave()
        self.display.tell(
            f"{counts.looks} looks, {counts.reposts} reposts, {counts.reuploads}"
            f" uploads again ({counts.born_frozen} born frozen); {counts.refused} tries"
            " to see or pass on what is frozen were refused"
        )

    # Looking whether it happened.

    def _ledger(self) -> Mapping[str, Any]:
        within = {
            each.name
            for each in self.album.planted
            if each.within_reach or each.seen_closer
        }
        items = [self.reported, *(self.planted[name] for name in within)]
        return self.plaza.exposure(items, self.told.pressed_at or time.time())

    def _status(self) -> dict[str, Any]:
        found: dict[str, Any] = (
            self._api.get(f"/reports/{self.told.number}").raise_for_status().json()
        )
        return found

    def _all_confirmed(self) -> bool:
        status = self._status()
        return bool(status["confirmed"] >= len(status["frozen"]) > 0)

    def _decided(self) -> bool:
        # By the message: a copy that comes late opens the case again, for itself.
        told = self._status()["messages"]
        return any("violation" in str(each["template"]) for each in told)

    def _removed(self) -> bool:
        return self._state(self.reported) == "removed"

    def _state(self, item: str) -> str:
        """What Plaza has confirmed of an item; blank while Holdfast has none."""
        answer = self._api.get(f"/items/{item}")
        return str(answer.json()["confirmed_state"]) if answer.is_success else ""

    def _settled(self) -> bool:
        """Whether the decision has arrived at the network, whatever it was."""
        return self._state(self.reported) in ("removed", "visible")

    def _suspended(self) -> bool:
        return self._account("nightowl") == "suspended"

    def _account(self, name: str) -> str:
        answer = self._api.get(f"/actors/{self.people[name].id}").raise_for_status()
        return str(answer.json()["state"])

    def _accounts(self) -> str:
        """The state of everybody who has a part in the story."""
        return ", ".join(f"{name} {self._account(name)}" for name in self.people)

    def _referred(self) -> bool:
        return any(each["status"] == "finished" for each in self.stage.double.reports())

    def _referral(self) -> str:
        finished = [
            each for each in self.stage.double.reports() if each["status"] == "finished"
        ]
        if not finished:
            return "no referral has been finished"
        found = finished[-1]
        return (
            f"CyberTip {found['id']} submitted, {len(found['files'])} files uploaded"
            " and described, finished: with a TEST DOUBLE, so it is NOT FILED"
        )

    def _until(
        self, happened: Callable[[], bool], otherwise: str, wait_s: float = WAIT_S
    ) -> None:
        deadline = time.monotonic() + wait_s
        while not happened():
            if time.monotonic() > deadline:
                raise Unavailable(f"{otherwise} within {wait_s:g} seconds.")
            time.sleep(LOOK_EVERY_S)


def _families(pictures: Sequence[Picture]) -> str:
    """How many there are, and what was done to them."""
    return f"{len(pictures)} ({', '.join(sorted({each.family for each in pictures}))})"
