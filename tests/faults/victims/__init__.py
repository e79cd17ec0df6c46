"""Jobs and writes that the fault tests kill half-way."""
