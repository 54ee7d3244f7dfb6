"""First start: somebody who may do everything, and may post without waiting (createsuperuser wants a terminal)."""

import os

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from misago.acl.cache import clear_acl_cache  # noqa: E402
from misago.acl.models import Role  # noqa: E402
from misago.conf.shortcuts import get_dynamic_settings  # noqa: E402
from misago.users.setupnewuser import setup_new_user  # noqa: E402

members = get_user_model().objects
moderator = members.create_superuser("banzhu", "banzhu@city.example", os.environ["MISAGO_PASSWORD"])
setup_new_user(get_dynamic_settings(), moderator)
moderator.roles.add(Role.objects.get(special_role=None, pk=3))  # the forum's own role "Moderator"
moderator.update_acl_key()
moderator.save()
member = Role.objects.get(special_role="authenticated")
member.permissions.setdefault("misago.threads.permissions.threads", {})["can_omit_flood_protection"] = True
member.save()
clear_acl_cache()
