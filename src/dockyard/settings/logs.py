"""How the service's log lines are read: by `invoke logs`, and by `invoke status` for the last prediction."""

from __future__ import annotations

from pydantic import Field

from dockyard.settings.fields import Section, Words


class Logs(Section):
    """Names of the fields of the service's JSON log lines. Of several names the first that a line has is taken."""

    time: Words = Field(("ts", "time", "timestamp", "@timestamp"), description="When; ISO 8601 or seconds since 1970.")
    level: Words = Field(("level", "levelname", "severity"), description="How serious, for instance `warning`.")
    event: Words = Field(("event", "message", "msg"), description="What happened.")
    request_id: Words = Field(
        ("request_id", "x_request_id", "correlation_id"), description="The request; asked for by `--request-id`."
    )
    route: Words = Field(("route", "path"), description="Which route answered; `smoke.predict` is that of predictions.")
    milliseconds: Words = Field(
        ("ms", "duration_ms", "latency_ms", "elapsed_ms"), description="How long an answer took, in milliseconds."
    )
    traceback: Words = Field(
        ("traceback", "exc_info", "exception", "stack", "where"), description="Where an exception rose; shown below."
    )
