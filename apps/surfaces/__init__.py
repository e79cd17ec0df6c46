'''The kit of the REST surfaces: one pipeline for every view, and one file for each contract over it.

A view says which surface it belongs to, and each of its actions declares who may call it, how it is throttled, what
it takes and what it answers. All else is the kit's: authenticate, permit, throttle, validate, idempotency,
`?validate_only=true`, transaction, errors, envelope, headers, OpenAPI. An action that declares nothing can't be served.

    # apps/users/api/platform.py
    from apps.surfaces import platform
    from apps.surfaces.kit.actions import changes, reads
    from apps.surfaces.kit.answers import Answer, Csv, Page
    from apps.surfaces.kit.calls import Call
    from apps.surfaces.kit.fields import Choice, Flag, Moment, Text, Whole
    from apps.surfaces.kit.inputs import Body, Query
    from apps.surfaces.kit.ordering import Ordering

    class UserFilters(Query):                        # unknown and repeated parameters are refused
        search = Text(required=False, max_length=254)
        status = Choice(UserStatus.values, required=False)
        created_after = Moment(required=False)

    class Reason(Body):                              # unknown fields are refused; types are strict
        reason = Text(min_length=3, max_length=500)

    class UserRow(serializers.Serializer[Any]):      # what an answer looks like: for OpenAPI, not for rendering
        id = serializers.CharField()
        email = serializers.CharField()

    class Users(platform.ViewSet):
        @reads(
            permission="users.read",                 # a key of apps.core.access.PERMISSIONS
            throttle="platform.search",              # a key of settings.SURFACE_RATE_LIMITS
            query=UserFilters,
            ordering=Ordering("created_at", "last_login", "email", default="-created_at"),
            answer=UserRow,
            paged=True,                              # limit and offset; `collection="tenants"`: data.tenants beside
        )                                            # data.pagination; without it data is the array
        def list(self, call: Call) -> Page:
            """Users, newest first."""               # summary and description in OpenAPI
            rows = selectors.users(call.actor, **call.query)      # a queryset; begins at visible_to(actor)
            return call.page(rows, lambda found: [user_row(user, call.actor) for user in found])

        @reads(permission="users.read", throttle="platform", answer=UserDetail, audit="user.view")
        def retrieve(self, call: Call) -> Answer:
            """One user."""
            user = selectors.user(call.actor, call.path["id"])    # raises apps.core.errors.NotFound
            call.viewed("user.view", user.audit_target())         # the audit row of a look; declared by `audit`
            return Answer(user_detail(user, call.actor), version=user.version)      # ETag: "v7"

        @changes(
            permission="users.suspend", throttle="platform", body=Reason, answer=Suspended, target="user",
            refusals=[Conflict],                     # kinds of refusals beside the usual, for OpenAPI
        )
        def suspend(self, call: Call) -> Answer:
            """Suspends a user."""
            user = services.suspend_user(
                actor=call.actor, user_id=call.path["id"], reason=call.body["reason"], if_match=call.if_match
            )
            return Answer({"user_id": user.public_id, "status": user.status, "suspended_at": user.suspended_at})

        @changes(permission="users.update", throttle="platform", body=UserPatch, answer=UserUpdated, target="user")
        def partial_update(self, call: Call) -> Answer:
            """Changes role, name or staff roles."""
            # call.body holds only the fields that were sent; call.if_match: the version named by If-Match, or None
            ...

        @reads(permission="users.audit_trail", throttle="platform", query=TrailFilters, answer=TrailRow, paged=True,
               audit="user.view_audit_trail", formats={"text/csv": "Audit trail as CSV"})
        def audit_trail(self, call: Call) -> Page | Csv:
            if call.query.get("format") == "csv":
                return Csv("audit-trail.csv", columns=["id", "action"], rows=({...} for row in rows.iterator()))
            return call.page(rows, ...)

    # config/urls/platform.py: one line a route, in the order of the contract page, written as there.
    # Owners of views add their own lines.
    ROUTES = [
        route("GET /api/v1/platform/admin/users", Users, "list"),
        route("GET /api/v1/platform/admin/users/{id}", Users, "retrieve"),
        route("PATCH /api/v1/platform/admin/users/{id}", Users, "partial_update"),
        route("POST /api/v1/platform/admin/users/{id}/suspend", Users, "suspend"),
    ]

A question that needs a body is a POST that `reads(…, body=…)`: no idempotency, no transaction, no change in the trail.

A list that is cut otherwise than its surface's others names its way: `paging=service.HISTORY` (kit/paging.py has
offset, open, number and cursor pages). `example=` and `body_example=` stand in OpenAPI, and on the page /admin/docs.

What a handler returns: `Answer(data, version=…)` (200), `Answer(data, status=201)`, `Answer(data, status=202)`,
`Answer(None, status=204)`, `call.page(…)`, `Csv(…)`, `Stream(…)`; `Prepared(bytes, etag)` (200, or 304 to a caller who
has it; declared by `conditional=True`). Data may hold datetimes (written as ISO 8601 with milliseconds and Z), Decimals
(written as JSON numbers), UUIDs, enums.

What a handler raises: domain errors (apps.core.errors). The surface turns their kind into status and code.
A handler of `changes` runs inside `apps.core.write.unit()`; what it changes outside of a `write()` is rolled back.
`changes(…, outside=True)` runs it outside of any transaction, for claim → call → settle.

Authenticators stand in settings.SURFACE_AUTHENTICATORS by dotted path (apps.surfaces.kit.authentication has the
protocol): `authenticate(request: HttpRequest) -> Principal | None`; None: no credential of this kind; a bad one raises
apps.core.errors.Unauthenticated. `uses_cookies = True` makes the kit enforce CSRF on unsafe methods.
`challenge = "Bearer"` goes into WWW-Authenticate of a 401. The kit sets the principal's `via` and `address`.

Every route needs a sample in tests/surfaces/samples.py: the generic tests (privileges, audit coverage, masked bytes,
shape of answers against OpenAPI) walk the doors and fail for a route without one.
'''
