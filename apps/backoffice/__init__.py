"""The kit of the operators' pages: what a section is made of. It knows no domain.

A section is a `ModelAdmin` in the `admin` module of an app (django-unfold below, our own views above):

    @site.section
    class UserAdmin(ModelAdmin):
        model = User
        path, prefix, permission = "users", ids.USER, "users.read"
        columns = [Column("email", "E-mail", email_cell, order=by("email"), clear_only=True)]
        filters = [Filter("status", "Status", only_status, choices=statuses)]
        tabs = [Tab("overview", "Overview", overview)]
        dialogs = [Suspend(), Unsuspend()]

        def rows(self, principal, permission): return visible_to(principal, permission)
        def search(self, rows, term, seen): ...
        def heading(self, row, seen): return Heading(...)

Nothing can be added, changed or deleted by it: every change is a dialog that calls a service. Who sees what is
asked of apps.core.access; what personal data look like is asked of `Seen`, which every cell, block and heading
is given. Other apps add tabs (`site.add_tab`), dialogs (`site.add_dialog`) and panels of the home page
(`apps.backoffice.home`).
"""
