"""A form that came without its mark against forged requests: shown again, whole.

Django refuses such a form before any page sees it. A frightened person must not lose
what they wrote to that, so the same question is shown again with every answer in its
box, and nothing is sent until they press the button themselves. What somebody else's
page tried to send in their name would be seen there.
"""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve

from holdfast.base.errors import HoldfastError
from holdfast.web import errors
from holdfast.web.portal import problems
from holdfast.web.portal.page import Question
from holdfast.web.portal.words import UNSENT


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """Django's ``CSRF_FAILURE_VIEW``; for the console the plain page is enough."""
    if request.path.startswith(errors.CONSOLE_PREFIX):
        return errors.forbidden(request, PermissionDenied(reason))
    try:
        found = resolve(request.path_info)
    except Resolver404 as missing:
        return errors.not_found(request, missing)
    question = getattr(found.func, "view_class", None)
    if not (isinstance(question, type) and issubclass(question, Question)):
        return problems.unmarked(request)
    try:
        page = question()
        page.setup(request, *found.args, **found.kwargs)
        return page.unsent(str(UNSENT))
    except HoldfastError as refusal:
        return problems.refused(request, refusal)
