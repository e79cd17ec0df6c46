"""django-unfold has no types: its classes, as Django's own which they extend."""

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite, ModelAdmin

    UnfoldSite: TypeAlias = AdminSite
    UnfoldModelAdmin: TypeAlias = ModelAdmin[Any]
else:
    from unfold.admin import ModelAdmin as UnfoldModelAdmin
    from unfold.sites import UnfoldAdminSite as UnfoldSite

__all__ = ["UnfoldModelAdmin", "UnfoldSite"]
