"""How people come in: django-allauth under our rules.

backend    who is let in by Django's machinery
passwords  one attempt to prove who one is, counted and recorded
throttle   attempts counted in PostgreSQL
devices    a browser that has signed in before
mfa        second factors: who needs one, who has shown one, and when
adapters   allauth's hooks
forms, views, urls   the pages at /accounts/
"""
