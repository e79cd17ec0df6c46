from django.apps import AppConfig


class SurfacesConfig(AppConfig):
    name = "apps.surfaces"
    label = "surfaces"
    verbose_name = "Surfaces"
