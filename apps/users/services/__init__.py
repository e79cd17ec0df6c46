"""What is done to people. One function, one use case; each is one write with one row in the trail.

people       create_user
profile      update_user
status       suspend_user, unsuspend_user, block_user, unblock_user
sessions     revoke_sessions, end_own_session, end_other_sessions
passwords    request_password_reset, forgotten_password, send_reset_link
staff        create_staff, set_staff_roles, deactivate_staff
approved     change_staff_roles, change_user: as set_staff_roles, update_user, with a second person where it needs one
memberships  add_membership, change_membership_role, remove_membership
email        change_email
backfill     backfill_members
erasure      erase_user, finish_erasure, finish_erasures
mfa          enrol_totp, remove_totp, reset_mfa, renew_recovery_codes
"""

from apps.users.services.approved import change_staff_roles, change_user
from apps.users.services.backfill import backfill_members
from apps.users.services.common import REVOCATIONS
from apps.users.services.email import change_email
from apps.users.services.erasure import erase_user, finish_erasure, finish_erasures
from apps.users.services.memberships import add_membership, change_membership_role, remove_membership
from apps.users.services.mfa import enrol_totp, mfa_required, remove_totp, renew_recovery_codes, reset_mfa
from apps.users.services.passwords import (
    ResetRequest,
    forgotten_password,
    request_password_reset,
    send_reset_link,
)
from apps.users.services.people import create_user
from apps.users.services.profile import UserChanges, update_user
from apps.users.services.sessions import Revocation, end_other_sessions, end_own_session, revoke_sessions
from apps.users.services.staff import create_staff, deactivate_staff, set_staff_roles
from apps.users.services.status import block_user, suspend_user, unblock_user, unsuspend_user

__all__ = [
    "REVOCATIONS",
    "ResetRequest",
    "Revocation",
    "UserChanges",
    "add_membership",
    "backfill_members",
    "block_user",
    "change_email",
    "change_membership_role",
    "change_staff_roles",
    "change_user",
    "create_staff",
    "create_user",
    "deactivate_staff",
    "end_other_sessions",
    "end_own_session",
    "enrol_totp",
    "erase_user",
    "finish_erasure",
    "finish_erasures",
    "forgotten_password",
    "mfa_required",
    "remove_membership",
    "remove_totp",
    "renew_recovery_codes",
    "request_password_reset",
    "reset_mfa",
    "revoke_sessions",
    "send_reset_link",
    "set_staff_roles",
    "suspend_user",
    "unblock_user",
    "unsuspend_user",
    "update_user",
]
