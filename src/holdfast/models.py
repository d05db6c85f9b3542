"""Every table, once, in flow order."""

from holdfast.base.models import Event
from holdfast.policy.models import PolicyVersion
from holdfast.staff.models import Person, RecoveryCode
from holdfast.vault.models import Checkpoint, LogLeaf, SealedBlob

from holdfast.items.models import (  # isort: skip
    Actor,
    ApiKey,
    Conversation,
    Item,
    ItemUrl,
    ItemVersion,
    Media,
    Placement,
    Platform,
    RateBucket,
    RememberedAnswer,
    Share,
    ViewCount,
)
from holdfast.intake.models import (  # isort: skip
    Addition,
    Answer,
    Arrival,
    Codename,
    Contact,
    DoorKey,
    Flag,
    Flagger,
    FlaggerPerson,
    Mail,
    MisuseWarning,
    Questionnaire,
    Report,
    ReportingSuspension,
    Signature,
    Target,
)
from holdfast.fingerprints.models import (  # isort: skip
    Fingerprint,
    PictureFeatures,
    View,
)
from holdfast.matching.models import (  # isort: skip
    Bank,
    BankEntry,
    ExchangeRecord,
    HashExchange,
    Match,
)
from holdfast.triage.models import Case, CaseItem, CaseTarget, Deadline  # isort: skip
from holdfast.freeze.models import ContactHold, Freeze  # isort: skip
from holdfast.review.models import Claim, Note, Reading, Reveal  # isort: skip
from holdfast.decisions.models import (  # isort: skip
    ActorPart,
    Decision,
    StatementOfReasons,
)
from holdfast.enforcement.models import Delivery, Enforcement  # isort: skip
from holdfast.authorities.models import (  # isort: skip
    AuthorityAccount,
    Exchange,
    Referral,
    ReferralFile,
)
from holdfast.evidence.models import Preservation  # isort: skip
from holdfast.notifications.models import (  # isort: skip
    Alarm,
    Letter,
    Notification,
    Page,
    Receipt,
)

__all__ = [
    "Actor",
    "ActorPart",
    "Addition",
    "Alarm",
    "Answer",
    "ApiKey",
    "Arrival",
    "AuthorityAccount",
    "Bank",
    "BankEntry",
    "Case",
    "CaseItem",
    "CaseTarget",
    "Checkpoint",
    "Claim",
    "Codename",
    "Contact",
    "ContactHold",
    "Conversation",
    "Deadline",
    "Decision",
    "Delivery",
    "DoorKey",
    "Enforcement",
    "Event",
    "Exchange",
    "ExchangeRecord",
    "Fingerprint",
    "Flag",
    "Flagger",
    "FlaggerPerson",
    "Freeze",
    "HashExchange",
    "Item",
    "ItemUrl",
    "ItemVersion",
    "Letter",
    "LogLeaf",
    "Mail",
    "Match",
    "Media",
    "MisuseWarning",
    "Note",
    "Notification",
    "Page",
    "Person",
    "PictureFeatures",
    "Placement",
    "Platform",
    "PolicyVersion",
    "Preservation",
    "Questionnaire",
    "RateBucket",
    "Reading",
    "Receipt",
    "RecoveryCode",
    "Referral",
    "ReferralFile",
    "RememberedAnswer",
    "Report",
    "ReportingSuspension",
    "Reveal",
    "SealedBlob",
    "Share",
    "Signature",
    "StatementOfReasons",
    "Target",
    "View",
    "ViewCount",
]  # fmt: skip  # In the order of a report's life.
