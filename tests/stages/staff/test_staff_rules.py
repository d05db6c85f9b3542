"""Roles and pauses, for every number of tries and every moment."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from holdfast.base.by import Permission
from holdfast.staff.rules import (
    LONGEST_PAUSE_S,
    PERMISSIONS,
    TOTP_STEP_S,
    Role,
    pause_after,
    permissions_of,
    steps_to_try,
)

roles = st.lists(st.sampled_from([*Role, "nobody", ""]))


def test_every_role_has_permissions() -> None:
    assert set(PERMISSIONS) == set(Role)
    assert all(PERMISSIONS.values())


@given(roles, roles)
def test_more_roles_never_allow_less(some: list[str], more: list[str]) -> None:
    assert permissions_of(some) <= permissions_of([*some, *more])


@given(roles)
def test_only_the_desk_opens_originals_and_decides(held: list[str]) -> None:
    allowed = permissions_of(held)
    desk = {Role.REVIEWER, Role.SPECIALIST, Role.LEAD} & set(held)
    assert (Permission.ITEM_REVEAL in allowed) == bool(desk)
    assert (Permission.CASE_DECIDE in allowed) == bool(desk)
    specialist = Permission.CASE_DECIDE_AS_SPECIALIST in allowed
    assert specialist == (Role.SPECIALIST in held)


def test_no_role_has_a_platforms_scope() -> None:
    scopes = {Permission.ITEMS_WRITE, Permission.REPORTS_WRITE, Permission.CHANGES_READ}
    assert not permissions_of(Role) & scopes


@given(st.integers(0, 10_000))
def test_a_pause_grows_and_always_ends(failed: int) -> None:
    assert pause_after(failed) <= pause_after(failed + 1)
    assert pause_after(failed).total_seconds() <= LONGEST_PAUSE_S


def test_the_first_pause_comes_after_a_few_tries() -> None:
    pauses = [pause_after(failed).total_seconds() for failed in range(12)]
    assert pauses[:5] == [0] * 5
    assert pauses[5] == 30
    assert all(one < other for one, other in pairwise(pauses[4:10]))
    assert pauses[11] == LONGEST_PAUSE_S


@given(st.floats(1e9, 4e9), st.integers(0, 200_000_000))
def test_steps_are_near_and_unused(now_s: float, last_step: int) -> None:
    steps = steps_to_try(now_s, last_step)
    assert all(step > last_step for step in steps)
    assert all(abs(step - now_s / TOTP_STEP_S) <= 2 for step in steps)


@given(st.floats(1e9, 4e9))
def test_a_used_step_is_not_tried_again(now_s: float) -> None:
    for step in steps_to_try(now_s, 0):
        assert step not in steps_to_try(now_s, step)
