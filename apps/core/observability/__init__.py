"""What can be seen from outside of a process: structured logs, request and correlation ids, metrics, health."""
