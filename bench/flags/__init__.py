"""`make bench-flags`: what evaluating flags costs, beside a local Unleash on the same PostgreSQL."""
