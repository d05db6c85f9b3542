"""Addresses of the flaggers' page. What changes something takes a POST alone."""

from django.urls import URLPattern, URLResolver, path

from holdfast.web.flaggers.views import account, filing, reports

app_name = "flaggers"

_REPORT = "reports/<str:number>"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", reports.ReportsPage.as_view(), name="start"),
    path("sign-in", account.SignInPage.as_view(), name="sign-in"),
    path("sign-out", account.SignOut.as_view(), name="sign-out"),
    path("enrol", account.EnrolPage.as_view(), name="enrol"),
    path("account", account.AccountPage.as_view(), name="account"),
    path("report", filing.ReportPage.as_view(), name="report"),
    path("file", filing.FilePage.as_view(), name="file"),
    path(_REPORT, reports.ReportView.as_view(), name="one"),
    path(f"{_REPORT}/add", reports.Add.as_view(), name="add"),
    path(f"{_REPORT}/challenge", reports.Challenge.as_view(), name="challenge"),
    path(f"{_REPORT}/withdraw", reports.Withdraw.as_view(), name="withdraw"),
]
