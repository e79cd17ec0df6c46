"""Jobs that the fault tests kill half-way: each test tenant causes one on each engine."""
