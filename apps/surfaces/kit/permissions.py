"""Deny by default."""

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView


class Denied(BasePermission):
    """What a DRF view gets that is not a view of a surface: nobody may."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        del request, view
        return False
