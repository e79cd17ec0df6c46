"""Jobs: rows in PostgreSQL, written with the change that causes them; Celery and RQ are woken after commit.

registry   @job names a function, its engine, its queue and its schedule
queueing   rows in, messages out
runner     claim, run, settle: what a worker does with one row
sweeper    sends again what nobody picked up, and what died half-way
schedules  repeating jobs
"""
