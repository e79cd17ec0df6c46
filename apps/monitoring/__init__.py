"""Platform health: sources that workers poll, what their answers amount to, and one answer for everybody who asks.

A source's status follows runs of answers, so that one blip changes nothing (`apps.monitoring.verdicts`). Nobody who
asks for the aggregate waits for a source: it is made from what was last seen, once in ten seconds.
"""
