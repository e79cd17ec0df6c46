from django.apps import AppConfig


class VictimsConfig(AppConfig):
    name = "tests.faults.victims"
    label = "victims"
