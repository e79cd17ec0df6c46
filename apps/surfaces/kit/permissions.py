"""Deny by default."""

from typing import Any

from rest_framework.permissions import BasePermission


class Denied(BasePermission):
    """What a DRF view gets that is not a view of a surface: nobody may."""

    def has_permission(self, request: Any, view: Any) -> bool:
        del request, view
        return False
