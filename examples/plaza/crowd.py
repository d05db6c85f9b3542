"""A crowd for Plaza: people who look, repost and put up again what they saw.

It is a program of its own that uses Plaza over HTTP like anybody. Its rate is bounded,
it stops when told, and it counts what it saw with its own eyes: a freeze shows here as
answers of 410 (``refused``).
"""

from __future__ import annotations

import argparse
import json
import random
import secrets
import threading
import time
from dataclasses import asdict, dataclass, fields

import httpx


@dataclass
class Counts:
    """What a crowd did. ``refused`` are tries that Plaza answered with 410."""

    looks: int = 0
    reposts: int = 0
    reuploads: int = 0
    born_frozen: int = 0
    refused: int = 0
    errors: int = 0

    def add(self, other: Counts) -> None:
        """Put two counts together."""
        for each in fields(self):
            total = getattr(self, each.name) + getattr(other, each.name)
            setattr(self, each.name, total)


@dataclass(frozen=True)
class Habits:
    """What people do. Shares are of all acts; the rest of the acts are looks."""

    people: int = 6
    acts_per_s: float = 60.0
    """Of all people together; the crowd never exceeds it."""
    repost_share: float = 0.06
    reupload_share: float = 0.01
    focus_share: float = 0.5
    """How many of the acts go to the post that everybody talks about."""


class Crowd:
    """``people`` threads, each with an account of its own."""

    def __init__(
        self,
        url: str,
        habits: Habits | None = None,
        *,
        focus: str | None = None,
        seed: int = 1,
    ) -> None:
        self.url = url.rstrip("/")
        self.habits = habits or Habits()
        self.focus = focus
        self.stop = threading.Event()
        self._seed = seed
        self._threads: list[threading.Thread] = []
        self._counts: list[Counts] = []

    def start(self) -> None:
        """Let them in."""
        for number in range(self.habits.people):
            counts = Counts()
            chance = random.Random(self._seed * 1000 + number)
            thread = threading.Thread(
                target=self._live, args=(counts, chance), daemon=True
            )
            self._counts.append(counts)
            self._threads.append(thread)
            thread.start()

    def counts(self) -> Counts:
        """What all of them did so far."""
        total = Counts()
        for each in self._counts:
            total.add(each)
        return total

    def leave(self, timeout_s: float = 15.0) -> Counts:
        """Send them home and say what they did."""
        self.stop.set()
        for thread in self._threads:
            thread.join(timeout_s)
        return self.counts()

    def _live(self, counts: Counts, chance: random.Random) -> None:
        pause_s = self.habits.people / self.habits.acts_per_s
        with httpx.Client(base_url=self.url, timeout=10, trust_env=False) as http:
            name = f"crowd_{secrets.token_hex(4)}"
            joined = http.post("/api/accounts", json={"name": name}).raise_for_status()
            http.headers["Authorization"] = f"Bearer {joined.json()['token']}"
            next_at = time.monotonic() + chance.uniform(0, pause_s)
            while not self.stop.wait(max(0.0, next_at - time.monotonic())):
                # Time lost is not made up for: a slow Plaza gets fewer people.
                next_at = max(next_at + pause_s, time.monotonic())
                try:
                    self._act(http, counts, chance)
                except httpx.HTTPError:
                    counts.errors += 1

    def _act(self, http: httpx.Client, counts: Counts, chance: random.Random) -> None:
        item = self._choose(http, counts, chance)
        if item is None:
            return
        lot = chance.random()
        if lot < self.habits.repost_share:
            if _went(http.post(f"/api/posts/{item}/repost"), counts):
                counts.reposts += 1
        elif lot < self.habits.repost_share + self.habits.reupload_share:
            self._upload_again(http, counts, item)
        elif _went(http.get(f"/p/{item}"), counts):
            counts.looks += 1

    def _choose(
        self, http: httpx.Client, counts: Counts, chance: random.Random
    ) -> str | None:
        if self.focus is not None and chance.random() < self.habits.focus_share:
            return self.focus
        answer = http.get("/api/feed", params={"limit": 5})
        if not _went(answer, counts):
            return None
        posts = answer.json()["posts"]
        counts.looks += len(posts)
        return str(chance.choice(posts)["id"]) if posts else None

    def _upload_again(self, http: httpx.Client, counts: Counts, item: str) -> None:
        seen = http.get(f"/api/posts/{item}")
        if not _went(seen, counts):
            return
        counts.looks += 1
        for url in seen.json()["pictures"][:1]:
            picture = http.get(url)
            if not _went(picture, counts):
                return
            file = ("again", picture.content, picture.headers["Content-Type"])
            made = http.post("/api/posts", files={"picture": file})
            if _went(made, counts):
                counts.reuploads += 1
                counts.born_frozen += made.json()["state"] == "frozen"


def _went(answer: httpx.Response, counts: Counts) -> bool:
    """Count what did not go: refused by Plaza, or gone wrong."""
    if answer.status_code == 410:
        counts.refused += 1
    elif answer.is_error:
        counts.errors += 1
    return answer.is_success


def main() -> None:
    """``python -m plaza.crowd --url URL --seconds 10``: print the counts as JSON."""
    parser = argparse.ArgumentParser(prog="plaza.crowd", description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--people", type=int, default=Habits.people)
    parser.add_argument("--acts-per-s", type=float, default=Habits.acts_per_s)
    parser.add_argument("--focus", help="the id of the post all talk about")
    given = parser.parse_args()
    habits = Habits(people=given.people, acts_per_s=given.acts_per_s)
    crowd = Crowd(given.url, habits, focus=given.focus)
    crowd.start()
    time.sleep(given.seconds)
    print(json.dumps(asdict(crowd.leave())))


if __name__ == "__main__":
    main()
