"""Settings of the portal, read from the environment with safe defaults (README.md lists every variable)."""

import os
from pathlib import Path
from typing import Any

import dj_database_url
from django.utils.csp import CSP
from django.utils.translation import gettext_lazy as _

from pilot import embedded, keyring, passwords

BASE_DIR = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("PILOT_VAR") or BASE_DIR / "var").resolve()


def _flag(name: str, default: bool = False) -> bool:
    return os.environ.get(name, "1" if default else "0").lower() in {"1", "true", "yes", "on"}


DEBUG = _flag("PILOT_DEBUG")
# What an older key signed (sessions, links in mails) still holds as long as that key is configured.
SECRET_KEY, *SECRET_KEY_FALLBACKS = keyring.newest_first(keyring.load("PILOT_SECRET_KEY", VAR))
ALLOWED_HOSTS = os.environ.get("PILOT_HOSTS", "localhost,127.0.0.1,[::1],testserver").split(",")
CSRF_FAILURE_VIEW = "pilot.views.api.csrf_failure"
CSRF_TRUSTED_ORIGINS = [origin for origin in os.environ.get("PILOT_ORIGINS", "").split(",") if origin]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",
    "pgtrigger",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "axes",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "bootstrap",
    "lucide",
    "pilot",
    "applications",
    "assessment",
    "filings",
]

MIDDLEWARE = [
    "pilot.frames.in_one_piece",
    "pilot.middleware.ArrivalMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "pilot.compression.StaticGZipMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "pilot.polling.SessionMiddleware",
    "pilot.language.ChineseFirstMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "pilot.middleware.PortalMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "pilot.urls"
WSGI_APPLICATION = "pilot.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "pilot.context.shell",
            ],
            "builtins": [
                "pilot.templatetags.ui",
                "pilot.templatetags.cells",
                "pilot.templatetags.icons",
                "django.templatetags.i18n",
            ],
        },
    }
]

FORM_RENDERER = "pilot.rendering.PortalRenderer"

# --- data ----------------------------------------------------------------------------------------
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if url := keyring.configured("DATABASE_URL"):
    _database: dict[str, Any] = dict(dj_database_url.parse(url))
else:
    _database = {"ENGINE": "django.db.backends.postgresql", **embedded.postgres_settings(VAR)}
# The web processes share a pool (stack.md F); workers and commands fork or end, so they hold plain connections.
if _flag("PILOT_DB_POOL"):
    # Beside what DATABASE_URL asks for, such as sslmode.
    _database.setdefault("OPTIONS", {})["pool"] = {
        "min_size": 1,
        "max_size": int(os.environ.get("PILOT_DB_POOL_SIZE", "8")),
        "timeout": 5,  # seconds until a request without a connection is told to come again
        # By itself it would try again after 1, 2, 4, 8 … s; given up, whoever comes next has it try at once.
        "reconnect_timeout": 2,
    }
else:
    _database |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
DATABASES = {"default": _database}

CELERY_BROKER_URL = keyring.configured("CELERY_BROKER_URL") or embedded.broker_url(VAR)
MEDIA_ROOT = VAR / "files"
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
PILOT_FONTS = os.environ.get("PILOT_FONTS", "")
PILOT_CLAMD = os.environ.get("PILOT_CLAMD", "")  # virus scanner: host:port or the path of a socket

# --- language and time ---------------------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("中文")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "pilot" / "locale"]
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"

# --- people --------------------------------------------------------------------------------------
AUTH_USER_MODEL = "pilot.Person"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
PILOT_PASSWORD_POLICY = os.environ.get("PILOT_PASSWORD_POLICY", passwords.MLPS)
AUTH_PASSWORD_VALIDATORS = passwords.validators(PILOT_PASSWORD_POLICY)
PILOT_DORMANT_DAYS = int(os.environ.get("PILOT_DORMANT_DAYS", "90"))  # unused accounts are disabled after
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "pilot.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False  # every session ends after SESSION_COOKIE_AGE idle seconds
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
# Wrong passwords are counted by axes, in the database that all web processes share.
ACCOUNT_RATE_LIMITS = {"login": "60/m/ip", "login_failed": ""}
ACCOUNT_FORMS = {
    "login": "pilot.accounts.LoginForm",
    "change_password": "pilot.accounts.ChangePasswordForm",
    "reauthenticate": "pilot.accounts.ReauthenticatePasswordForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_ADAPTER = "pilot.accounts.SecondFactorAdapter"
MFA_FORMS = {
    "activate_totp": "pilot.accounts.ActivateCodesForm",
    "add_webauthn": "pilot.accounts.AddKeyForm",
    "edit_webauthn": "pilot.accounts.RenameKeyForm",
    "authenticate": "pilot.accounts.SecondFactorForm",
    "reauthenticate": "pilot.accounts.SecondFactorAgainForm",
}
ACCOUNT_REAUTHENTICATION_TIMEOUT = 5 * 60  # seconds for which signing does not ask again
MFA_TOTP_ISSUER = "Pilot Portal"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = ["username"]
AXES_USERNAME_CALLABLE = "pilot.accounts.login_tried"
# People type passwords and codes into any field; successful sign-ins stand in the audit log already.
AXES_SENSITIVE_PARAMETERS = ["login", "code", "csrfmiddlewaretoken"]
AXES_DISABLE_ACCESS_LOG = True
SILENCED_SYSTEM_CHECKS = ["axes.W006"]  # by account, not by address: a whole bureau comes from one address
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "account/locked.html"
AXES_HTTP_RESPONSE_CODE = 429

# --- browser security ----------------------------------------------------------------------------
HTTPS = _flag("PILOT_HTTPS")
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
    "base-uri": [CSP.NONE],
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
# The proxy's stamp of arrival, e.g. X-Request-Start; it must overwrite what a client sends under that name.
PILOT_ARRIVAL_HEADER = os.environ.get("PILOT_ARRIVAL_HEADER", "")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _flag("PILOT_BEHIND_PROXY") else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
# Two portals on one host differ by port only, and cookies ignore ports: the name carries the portal.
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else f"pilot-session-{os.environ.get('PILOT_PORT', '8000')}"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else f"pilot-csrf-{os.environ.get('PILOT_PORT', '8000')}"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 30 * 60  # of nobody asking for anything (pilot/polling.py prolongs)
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000

# --- API: keys only, problems instead of error pages ------------------------------------------------
PILOT_API_RATE = int(os.environ.get("PILOT_API_RATE", "600"))  # calls a minute and key
REST_FRAMEWORK = {
    "EXCEPTION_HANDLER": "pilot.api.views.as_problem",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": _("电子化核验试点管理平台接口"),
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "TAGS": [
        {"name": "forms", "description": _("上报核验单")},
        {"name": "figures", "description": _("查询结果")},
    ],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SERVE_PERMISSIONS": [],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "JobState": "filings.enums.JobState",
        "FindingState": "filings.enums.FindingState",
        "RectificationState": "filings.enums.RectificationState",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "pilot.api.schema.add_headers",
    ],
}

# --- logging: to the console, never a request body ------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "pilot.logs.OneLineFormatter",
            "format": "{asctime} {levelname} {name} {message}",
            "style": "{",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": os.environ.get("PILOT_LOG_LEVEL", "WARNING")},
}
MAILERS = {
    "default": {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        # For each answer (the outbox's lease of a mail is longer than all): a server that hangs is one that is away.
        "OPTIONS": {"host": os.environ["PILOT_EMAIL_HOST"], "timeout": 10},
    }
    if os.environ.get("PILOT_EMAIL_HOST")
    else {
        "BACKEND": "django.core.mail.backends.filebased.EmailBackend",
        "OPTIONS": {"file_path": str(VAR / "mail")},
    }
}
# Where mails lead: the first address forms may come from, else this machine.
PILOT_SITE = next(iter(CSRF_TRUSTED_ORIGINS), f"http://127.0.0.1:{os.environ.get('PILOT_PORT', '8000')}")
DEFAULT_FROM_EMAIL = os.environ.get("PILOT_EMAIL_FROM", "portal@example.cn")

# Keys of stored forms (design.md, "Storage of forms"); 64 random bytes each, separate from Django's key.
PILOT_MASTER_KEY = keyring.load("PILOT_MASTER_KEY", VAR)
PILOT_INDEX_KEY = keyring.load("PILOT_INDEX_KEY", VAR)
PILOT_DIGEST_KEY = keyring.load("PILOT_DIGEST_KEY", VAR)
PILOT_AUDIT_KEY = keyring.load("PILOT_AUDIT_KEY", VAR)  # signs the heads of the audit log
PILOT_CIPHER = os.environ.get("PILOT_CIPHER") or "aes-256-gcm"  # of months that begin now; or sm4-gcm

# So many refused or failed acts within a minute are told to the security administrators.
PILOT_DENIED_PER_MINUTE = int(os.environ.get("PILOT_DENIED_PER_MINUTE", "20"))

# Webhooks: tests and development may send to this machine (plain HTTP, any port); more authorities to trust (a file).
PILOT_WEBHOOK_LOOPBACK = _flag("PILOT_WEBHOOK_LOOPBACK")
PILOT_WEBHOOK_CA = os.environ.get("PILOT_WEBHOOK_CA", "")

# Where people are compared: the local extract, or a service asked by HTTPS (docs/authority.md).
PILOT_AUTHORITY_SOURCE = os.environ.get("PILOT_AUTHORITY_SOURCE", "extract")
PILOT_AUTHORITY_URL = os.environ.get("PILOT_AUTHORITY_URL", "")
PILOT_AUTHORITY_KEY = keyring.configured("PILOT_AUTHORITY_KEY").strip()
PILOT_AUTHORITY_PRIVATE = _flag("PILOT_AUTHORITY_PRIVATE")  # the address may lie in a private network
PILOT_AUTHORITY_BATCH = int(os.environ.get("PILOT_AUTHORITY_BATCH", "100"))  # people asked about at once
PILOT_AUTHORITY_SECONDS = float(os.environ.get("PILOT_AUTHORITY_SECONDS", "10"))  # for one exchange
