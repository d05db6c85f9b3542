"""The portal's addresses. None of them says what a report is about, or which it is."""

from django.urls import path

from holdfast.web.portal.views import (
    adding,
    contact,
    contact_hold,
    follow,
    hidden,
    language,
    leaving,
    new_words,
    on_device,
    police,
    report,
    review,
)

app_name = "portal"
urlpatterns = [
    path("", report.Start.as_view(), name="start"),
    path("report", report.Link.as_view(), name="link"),
    path("report/where", report.Where.as_view(), name="where"),
    path("report/received", report.Received.as_view(), name="received"),
    path("report/notes.txt", report.SavedReceipt.as_view(), name="saved"),
    path("report/more/<slug:name>", adding.InARow.as_view(), name="more"),
    path("report/danger", review.Danger.as_view(), name="danger"),
    path("report/review", review.Review.as_view(), name="review"),
    path("report/law", review.Law.as_view(), name="law"),
    path("report/change", review.ChangeCategory.as_view(), name="category"),
    path("report/change/<slug:name>", adding.Changing.as_view(), name="change"),
    path("report/picture", on_device.Picture.as_view(), name="picture"),
    path("report/picture/send", on_device.Send.as_view(), name="picture_send"),
    path("leave", leaving.Leave.as_view(), name="leave"),
    path("safety", leaving.Safety.as_view(), name="safety"),
    path("help", leaving.Help.as_view(), name="help"),
    path("hidden", hidden.Hidden.as_view(), name="hidden"),
    path("open", leaving.Pause.as_view(), name="pause"),
    path("language", language.Language.as_view(), name="language"),
    path("police", police.Police.as_view(), name="police"),
    path("follow", follow.Follow.as_view(), name="follow"),
    path("follow/words", follow.Words.as_view(), name="words"),
    path("follow/erase/<uuid:message>", follow.Erase.as_view(), name="erase"),
    path("follow/status", follow.Status.as_view(), name="status"),
    path("follow/add/<slug:name>", adding.Adding.as_view(), name="add"),
    path("follow/new-words", new_words.NewWords.as_view(), name="new_words"),
    path("follow/challenge", follow.Challenge.as_view(), name="challenge"),
    path("follow/contact", contact.Hearing.as_view(), name="contact"),
    path("follow/contact/forget", contact.Forget.as_view(), name="forget_contact"),
    path("follow/watch", on_device.StopWatching.as_view(), name="stop_watching"),
    path("follow/hold", contact_hold.ContactHold.as_view(), name="hold_contact"),
    path(
        "follow/release", contact_hold.ReleaseContact.as_view(), name="release_contact"
    ),
    path("follow/finished", follow.Finished.as_view(), name="finished"),
    # Where the link of a letter leads.
    path("m/<str:link>", contact.FromLetter.as_view(), name="letter"),
]
