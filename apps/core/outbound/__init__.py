"""Everything that leaves: requests to others under an address guard, and mail.

guard     which addresses may be called
backend   connections that the guard resolved, with one deadline for the whole exchange
breaker   stops calling what does not answer
http      the client: guard, deadline, retries, breaker
mail      Django's e-mail backend from settings.EMAIL_URL
messages  mails as jobs
"""

from apps.core.outbound.breaker import Breaker, CircuitOpen
from apps.core.outbound.guard import AddressRefused, Guard
from apps.core.outbound.http import Answer, Client, OutboundFailed

__all__ = ["AddressRefused", "Answer", "Breaker", "CircuitOpen", "Client", "Guard", "OutboundFailed"]
