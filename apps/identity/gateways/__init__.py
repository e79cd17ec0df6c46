"""Services of others that say who somebody is."""
