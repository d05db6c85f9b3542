"""The closed lists of the CyberTipline protocol: each value exactly as it is sent.

Nothing here decides anything. The lists come from NCMEC's schema of November 2025;
values that appear only in later documentation are left out on purpose, because a
service that validates against that schema refuses them.
"""

from __future__ import annotations

from enum import StrEnum


class IncidentType(StrEnum):
    """What a report is about: exactly one per report. The wording is NCMEC's."""

    CHILD_PORNOGRAPHY = "Child Pornography (possession, manufacture, and distribution)"
    CHILD_SEX_TRAFFICKING = "Child Sex Trafficking"
    CHILD_SEX_TOURISM = "Child Sex Tourism"
    CHILD_SEXUAL_MOLESTATION = "Child Sexual Molestation"
    MISLEADING_DOMAIN_NAME = "Misleading Domain Name"
    MISLEADING_WORDS_OR_IMAGES = "Misleading Words or Digital Images on the Internet"
    ONLINE_ENTICEMENT = "Online Enticement of Children for Sexual Acts"
    OBSCENE_MATERIAL_SENT_TO_CHILD = "Unsolicited Obscene Material Sent to a Child"


class ReportAnnotation(StrEnum):
    """Marks on a report. Sextortion is a mark, not an incident type."""

    SEXTORTION = "sextortion"
    CSAM_SOLICITATION = "csamSolicitation"
    MINOR_TO_MINOR = "minorToMinorInteraction"
    SPAM = "spam"
    SADISTIC_ONLINE_EXPLOITATION = "sadisticOnlineExploitation"


class FileAnnotation(StrEnum):
    """Marks on a file, set by the people who decided, never by a default."""

    DRAWING_OR_VIRTUAL = "animeDrawingVirtualHentai"
    POTENTIAL_MEME = "potentialMeme"
    VIRAL = "viral"
    POSSIBLE_SELF_PRODUCTION = "possibleSelfProduction"
    PHYSICAL_HARM = "physicalHarm"
    VIOLENCE_GORE = "violenceGore"
    BESTIALITY = "bestiality"
    LIVE_STREAMING = "liveStreaming"
    INFANT = "infant"
    GENERATIVE_AI = "generativeAi"


class IndustryClassification(StrEnum):
    """The industry's scale. Only for firms that signed NCMEC's hash-sharing MOU."""

    A1 = "A1"
    A2 = "A2"
    B1 = "B1"
    B2 = "B2"


class FileRelevance(StrEnum):
    """Whether a file is the reason for the report or context to it."""

    REPORTED = "Reported"
    SUPPLEMENTAL = "Supplemental Reported"


class EventName(StrEnum):
    """What happened when an IP address or a device was recorded."""

    LOGIN = "Login"
    REGISTRATION = "Registration"
    PURCHASE = "Purchase"
    UPLOAD = "Upload"
    OTHER = "Other"
    UNKNOWN = "Unknown"


class EmailType(StrEnum):
    """The kind of an e-mail address."""

    HOME = "Home"
    WORK = "Work"
    BUSINESS = "Business"
    RECOVERY = "Recovery"


class PhoneType(StrEnum):
    """The kind of a telephone number."""

    MOBILE = "Mobile"
    HOME = "Home"
    BUSINESS = "Business"
    WORK = "Work"
    FAX = "Fax"
    INTERNET = "Internet"
    RECOVERY = "Recovery"


class AddressType(StrEnum):
    """The kind of a street address."""

    HOME = "Home"
    BUSINESS = "Business"
    BILLING = "Billing"
    SHIPPING = "Shipping"
    TECHNICAL = "Technical"


class AssociatedAccountType(StrEnum):
    """How another account belongs to the one that is described."""

    BILLING = "Billing"
    LINKED = "Linked"
    BUSINESS = "Business"
    CREATOR = "Creator"
    PARENT_OR_GUARDIAN = "Parent/Guardian"
    OTHER = "Other"


class DetailsType(StrEnum):
    """Where name-value pairs about a file come from."""

    EXIF = "EXIF"
    HASH = "HASH"


# ISO 3166-1 alpha-2, plus what NCMEC's list adds to it: A1, A2 and O1 (proxy,
# satellite, other), AP and EU (regions), AN and FX (withdrawn) and XK (Kosovo).
_COUNTRIES = """
    A1 A2 O1
    AD AE AF AG AI AL AM AN AO AP AQ AR AS AT AU AW AX AZ
    BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ
    DE DJ DK DM DO DZ EC EE EG EH ER ES ET EU FI FJ FK FM FO FR FX
    GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY
    HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP
    KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY
    MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ
    NA NC NE NF NG NI NL NO NP NR NU NZ OM
    PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
    SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ
    TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ
    VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW
"""
COUNTRIES = frozenset(_COUNTRIES.split())

# Postal codes of the United States' states and the territories that NCMEC lists.
_US_STATES = """
    AK AL AR AZ CA CO CT DC DE FL GA GU HI IA ID IL IN KS KY LA MA MD ME MI MN MO
    MS MT NC ND NE NH NJ NM NV NY OH OK OR PA PR RI SC SD TN TX UT VA VI VT WA WI
    WV WY
"""
US_STATES = frozenset(_US_STATES.split())
