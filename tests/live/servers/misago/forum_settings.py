"""The settings that the wheel ships, on loopback instead of its containers."""

import os

from devproject.settings import *  # noqa: F403

FOLDER = os.environ["FORUM_FOLDER"]
DATABASES["default"].update(  # noqa: F405
    NAME="misago", USER="misago", PASSWORD="", HOST=os.environ["POSTGRES_SOCKET"], PORT=""
)
DEBUG = False
CELERY_TASK_ALWAYS_EAGER = True  # no broker is needed
CELERY_BROKER_URL = "memory://"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": f"{FOLDER}/cache"}}
MIDDLEWARE = [name for name in MIDDLEWARE if "debug_toolbar" not in name]  # noqa: F405
INSTALLED_APPS = [name for name in INSTALLED_APPS if name != "debug_toolbar"]  # noqa: F405
STATIC_ROOT = f"{FOLDER}/static"
MEDIA_ROOT = f"{FOLDER}/media"
MISAGO_USER_DATA_DOWNLOADS_WORKING_DIR = f"{FOLDER}/userdata"
MISAGO_AVATAR_GALLERY = f"{FOLDER}/avatars"
LANGUAGE_CODE = "zh-hans"
TIME_ZONE = "UTC"
ROOT_URLCONF = "forum_urls"
WSGI_APPLICATION = "forum_wsgi.application"
