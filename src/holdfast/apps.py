"""The Django app. Registers the flow when everything is loaded."""

from django.apps import AppConfig


class HoldfastConfig(AppConfig):
    """One app, one migration history."""

    name = "holdfast"
    label = "holdfast"
    default = True

    def ready(self) -> None:
        """Register the flow: it names steps of every stage, so it is loaded last."""
        from holdfast.base import events, jobs  # noqa: F401, PLC0415
        from holdfast.flow import FLOW  # noqa: PLC0415

        events.register(line for line in FLOW if isinstance(line, events.On))
