"""`make bench`: what a request costs. Figures for people to compare, never a test."""
