"""Back office: as whom other issuers know a person, on the person's page."""

from apps.identity.admin import identities

identities.install()
