"""The engines and processes that a trial, a developer or a test run needs, from one command.

Imports neither Django nor another app: `python -m apps.embedded <command>` works before anything else does.
"""
