"""Addresses of the console. What changes something takes a POST and nothing else."""

from django.urls import URLPattern, URLResolver, path

from holdfast.web import media
from holdfast.web.console.views import (
    alarms,
    asked,
    authorities,
    banks,
    case,
    entering,
    flaggers,
    messages,
    people,
    platforms,
    queue,
    reveals,
    sign_in,
    waves,
)

app_name = "console"

_CASE = "case/<str:number>"
_FLAGGER = "flaggers/<uuid:flagger>"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", queue.QueuePage.as_view(), name="start"),
    path("sign-in", sign_in.SignInPage.as_view(), name="sign-in"),
    path("sign-out", sign_in.SignOut.as_view(), name="sign-out"),
    path("enrol", sign_in.EnrolPage.as_view(), name="enrol"),
    path("me", sign_in.MyPage.as_view(), name="me"),
    path("me/languages", sign_in.LanguagesPage.as_view(), name="languages"),
    path(_CASE, case.CaseView.as_view(), name="case"),
    path("next", case.ClaimNext.as_view(), name="next"),
    path(f"{_CASE}/claim", case.Claim.as_view(), name="claim"),
    path(f"{_CASE}/release", case.Release.as_view(), name="release"),
    path(f"{_CASE}/note", case.AddNote.as_view(), name="note"),
    path(f"{_CASE}/ask/<uuid:report>", case.AskReporter.as_view(), name="ask"),
    path(f"{_CASE}/read", case.ReadCase.as_view(), name="read"),
    path(f"{_CASE}/copy/<uuid:item>", case.SettleCopy.as_view(), name="settle"),
    path(f"{_CASE}/watch/<uuid:report>", asked.EndWatch.as_view(), name="end-watch"),
    path(
        f"{_CASE}/contact/<uuid:hold>",
        asked.ReleaseHold.as_view(),
        name="release-hold",
    ),
    path(f"{_CASE}/thaw", case.ThawItem.as_view(), name="thaw"),
    path(
        f"{_CASE}/reveal/<uuid:item>/words",
        reveals.RevealPage.as_view(),
        name="reveal-words",
    ),
    path(
        f"{_CASE}/reveal/<uuid:item>/<uuid:media>",
        reveals.RevealPage.as_view(),
        name="reveal",
    ),
    path(f"{_CASE}/opened/<uuid:reveal>", reveals.Opened.as_view(), name="opened"),
    path("preview/<uuid:media>", media.Preview.as_view(), name="preview"),
    path("original/<uuid:reveal>", media.Original.as_view(), name="original"),
    path("alarms", alarms.AlarmsPage.as_view(), name="alarms"),
    path("alarms/<uuid:alarm>", alarms.Acknowledge.as_view(), name="acknowledge"),
    path("messages", messages.MessagesPage.as_view(), name="messages"),
    path("waves/<uuid:actor>", waves.WavePage.as_view(), name="wave"),
    path("waves/from/<uuid:report>", waves.WavePage.as_view(), name="wave-from-place"),
    path("reporters/<uuid:actor>", waves.ReporterPage.as_view(), name="reporter"),
    path(
        "reporters/<uuid:actor>/lift/<uuid:suspension>",
        waves.LiftSuspension.as_view(),
        name="lift-suspension",
    ),
    path("enter", entering.EnterReport.as_view(), name="enter"),
    path("flaggers", flaggers.FlaggersPage.as_view(), name="flaggers"),
    path(
        f"{_FLAGGER}/suspend",
        flaggers.Suspend.as_view(),
        name="suspend-flagger",
    ),
    path(f"{_FLAGGER}/renew", flaggers.Renew.as_view(), name="renew-flagger"),
    path(f"{_FLAGGER}/end", flaggers.End.as_view(), name="end-flagger"),
    path(f"{_FLAGGER}/people", flaggers.PeoplePage.as_view(), name="flagger-people"),
    path(
        f"{_FLAGGER}/people/<uuid:person>/reset",
        flaggers.ResetPerson.as_view(),
        name="reset-flagger-person",
    ),
    path(
        f"{_FLAGGER}/people/<uuid:person>/end",
        flaggers.EndPerson.as_view(),
        name="end-flagger-person",
    ),
    path(
        f"{_FLAGGER}/resume",
        flaggers.Resume.as_view(),
        name="resume-flagger",
    ),
    path("people", people.PeoplePage.as_view(), name="people"),
    path("people/<uuid:person>", people.PersonPage.as_view(), name="person"),
    path(
        "people/<uuid:person>/deactivate",
        people.Deactivate.as_view(),
        name="deactivate",
    ),
    path("people/<uuid:person>/reset", people.Reset.as_view(), name="reset"),
    path("platforms", platforms.PlatformsPage.as_view(), name="platforms"),
    path("keys/<uuid:key>/revoke", platforms.RevokeKey.as_view(), name="revoke-key"),
    path("banks", banks.BanksPage.as_view(), name="banks"),
    path("banks/stop/<uuid:bank>", banks.StopBank.as_view(), name="stop-bank"),
    path("banks/lift/<uuid:block>", banks.LiftBlock.as_view(), name="lift-block"),
    path("authorities", authorities.AuthoritiesPage.as_view(), name="authorities"),
    path("authorities/live", authorities.GoLivePage.as_view(), name="go-live"),
]
