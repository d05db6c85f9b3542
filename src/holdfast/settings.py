"""Django's settings, from the environment. Nothing here names an outside host.

``HOLDFAST_HOME``       where this installation keeps its data; default ``./var``
``DATABASE_URL``        PostgreSQL 15 or newer; ``holdfast up`` sets the embedded one
``HOLDFAST_KEYS``       the key ring as one text, for machines that share it
``HOLDFAST_URL``        the address under which people reach the portal
``HOLDFAST_TRUSTED_PROXIES``  your proxies in front of it, whose ``X-Forwarded-For`` is
                        believed: networks, comma-separated, or ``unix``; blank: none
``HOLDFAST_BLOBS``      where sealed blobs go: a folder or ``s3://bucket/prefix``
``HOLDFAST_SEARCH_FOLDER``  where this machine keeps the search's files; a local disk
``HOLDFAST_RECOVERY``   age recipients, comma-separated, whose keys are kept elsewhere
``HOLDFAST_SMTP``       ``smtp://user:password@host:port``; blank: no e-mail
``HOLDFAST_MAIL_FROM``  the sender of e-mail
``HOLDFAST_MESSAGE_FROM``  the sender of messages to who reported; say nothing in it
``HOLDFAST_TEXT_WEBHOOK`` and ``…_SECRET``: a gateway that sends text messages to phones
``HOLDFAST_IMAP``       the mailbox that takes reports,
                        ``imaps://user:password@host/INBOX``; blank: none
``HOLDFAST_IMAP_ADDRESS``  its e-mail address, from which it answers
``HOLDFAST_ON_CALL``    e-mail addresses of the on-call list, comma-separated
``HOLDFAST_ON_CALL_WEBHOOK`` and ``…_SECRET``: where alarms are posted, signed
``HOLDFAST_SITE_NAME``  what the portal calls itself; default ``Holdfast``
``HOLDFAST_TIME_ZONE``  whose clock people are told, as ``Europe/Oslo``; default UTC
``HOLDFAST_LEAVE_URL``  where "leave this page" leads; default: a blank page of ours
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from psycopg.conninfo import conninfo_to_dict

from holdfast.base.proxies import Proxies
from holdfast.languages.catalogues import SOURCE, compile_all
from holdfast.vault.keys import KeyRing

PACKAGE = Path(__file__).resolve().parent


def _listed(name: str) -> list[str]:
    parts = os.environ.get(name, "").split(",")
    return [part.strip() for part in parts if part.strip()]


HOLDFAST_HOME = Path(os.environ.get("HOLDFAST_HOME", "var")).resolve()
HOLDFAST_KEYS = (
    KeyRing.from_bundle(os.environ["HOLDFAST_KEYS"])
    if os.environ.get("HOLDFAST_KEYS")
    else KeyRing.create_if_missing(HOLDFAST_HOME / "keys")
)
HOLDFAST_URL = os.environ.get("HOLDFAST_URL", "http://127.0.0.1:8300").rstrip("/")
HOLDFAST_TRUSTED_PROXIES = Proxies.of(_listed("HOLDFAST_TRUSTED_PROXIES"))
HOLDFAST_BLOBS = os.environ.get("HOLDFAST_BLOBS", f"file://{HOLDFAST_HOME}/blobs")
HOLDFAST_SEARCH_FOLDER = Path(
    os.environ.get("HOLDFAST_SEARCH_FOLDER", HOLDFAST_HOME / "search")
)
HOLDFAST_RECOVERY = _listed("HOLDFAST_RECOVERY")
HOLDFAST_ON_CALL = _listed("HOLDFAST_ON_CALL")
HOLDFAST_ON_CALL_WEBHOOK = os.environ.get("HOLDFAST_ON_CALL_WEBHOOK", "")
HOLDFAST_ON_CALL_WEBHOOK_SECRET = os.environ.get("HOLDFAST_ON_CALL_WEBHOOK_SECRET", "")
HOLDFAST_TEXT_WEBHOOK = os.environ.get("HOLDFAST_TEXT_WEBHOOK", "")
HOLDFAST_TEXT_WEBHOOK_SECRET = os.environ.get("HOLDFAST_TEXT_WEBHOOK_SECRET", "")
HOLDFAST_SITE_NAME = os.environ.get("HOLDFAST_SITE_NAME", "Holdfast")
HOLDFAST_LEAVE_URL = os.environ.get("HOLDFAST_LEAVE_URL", "/blank")

SECRET_KEY = HOLDFAST_KEYS.django_secret_key()
DEBUG = False
ALLOWED_HOSTS = [
    urlsplit(HOLDFAST_URL).hostname or "localhost",
    "localhost",
    "127.0.0.1",
    *_listed("HOLDFAST_ALLOWED_HOSTS"),
]
CSRF_TRUSTED_ORIGINS = [HOLDFAST_URL]

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "procrastinate.contrib.django",
    "holdfast",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Round everything that can refuse a request, so that refusals have them too.
    "holdfast.web.middleware.HeadersMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "holdfast.web.language.LanguageMiddleware",
    # Before anything reads a body, and after it is known in which language to refuse.
    "holdfast.web.length.LengthMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "holdfast.web.urls"
CSRF_FAILURE_VIEW = "holdfast.web.portal.unsent.csrf_failure"
WSGI_APPLICATION = "holdfast.web.wsgi.application"
AUTH_USER_MODEL = "holdfast.Person"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
MIN_PASSWORD_LENGTH = 12  # characters; NIST SP 800-63B asks for at least 8.
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": MIN_PASSWORD_LENGTH},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / "web" / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.messages.context_processors.messages",
                "holdfast.web.context.installation",
            ],
            "libraries": {"hf": "holdfast.web.templatetags.hf"},
            "builtins": ["django.templatetags.i18n", "django.templatetags.static"],
        },
    }
]


def _database(url: str) -> dict[str, object]:
    facts = conninfo_to_dict(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": facts.get("dbname", "holdfast"),
        "USER": facts.get("user", ""),
        "PASSWORD": facts.get("password", ""),
        "HOST": facts.get("host", ""),
        "PORT": facts.get("port", ""),
        # Seconds. A new connection reads the catalogue anew, statement by statement,
        # while a person waits for a report; an old one is asked before it is used.
        "CONN_MAX_AGE": 3600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            # What is asked again and again is planned once for each connection.
            "server_side_binding": True,
            "prepare_threshold": 1,
            **{
                name: value
                for name, value in facts.items()
                if name in {"sslmode", "sslrootcert", "sslcert", "sslkey"}
            },
        },
    }


DATABASES = {"default": _database(os.environ.get("DATABASE_URL", "dbname=holdfast"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SESSION_COOKIE_NAME = "session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 8 * 3600  # seconds; one working day.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HOLDFAST_URL.startswith("https://")
CSRF_COOKIE_NAME = "csrf"
CSRF_COOKIE_AGE = None  # Nothing stays on a child's device when the browser closes.
SECURE_CONTENT_TYPE_NOSNIFF = True
# Not "no-referrer": without an origin Django refuses every form sent over HTTPS.
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024 * 1024  # bytes; the largest body of the API.
FILE_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024  # bytes; larger uploads go to a file.

# One .po file for each language: ours, and this installation's over them.
_languages = compile_all(
    (PACKAGE / "languages", HOLDFAST_HOME / "languages"),
    cache=HOLDFAST_HOME / "cache" / "languages",
)
LANGUAGE_CODE = SOURCE
LANGUAGES = list(_languages.named)
LOCALE_PATHS = [_languages.folder]
HOLDFAST_LANGUAGES_ALSO = dict(_languages.also)
TIME_ZONE = os.environ.get("HOLDFAST_TIME_ZONE", "UTC")
USE_TZ = True
STATIC_URL = "/static/"
STATICFILES_DIRS = [PACKAGE / "web" / "static"]
WHITENOISE_USE_FINDERS = True

_smtp = urlsplit(os.environ.get("HOLDFAST_SMTP", ""))
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = _smtp.hostname or ""
EMAIL_PORT = _smtp.port or 25
EMAIL_HOST_USER = unquote(_smtp.username or "")
EMAIL_HOST_PASSWORD = unquote(_smtp.password or "")
EMAIL_USE_TLS = _smtp.scheme == "smtp+starttls"
EMAIL_USE_SSL = _smtp.scheme == "smtps"
EMAIL_TIMEOUT = 10  # seconds
DEFAULT_FROM_EMAIL = os.environ.get("HOLDFAST_MAIL_FROM", "holdfast@localhost")
HOLDFAST_MESSAGE_FROM = os.environ.get(
    # Not the sender of alarms, whose name says what this is.
    "HOLDFAST_MESSAGE_FROM",
    f"post@{urlsplit(HOLDFAST_URL).hostname or 'localhost'}",
)
HOLDFAST_IMAP = os.environ.get("HOLDFAST_IMAP", "")
HOLDFAST_IMAP_AUTHSERV_IDS = _listed("HOLDFAST_IMAP_AUTHSERV_ID")
HOLDFAST_IMAP_ADDRESS = os.environ.get("HOLDFAST_IMAP_ADDRESS", DEFAULT_FROM_EMAIL)

PROCRASTINATE_IMPORT_PATHS = ["holdfast.base.jobs"]
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = ""
SILENCED_SYSTEM_CHECKS = ["auth.W004"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "holdfast": {"level": os.environ.get("HOLDFAST_LOG_LEVEL", "INFO")},
        "procrastinate": {"level": "ERROR"},
    },
}
