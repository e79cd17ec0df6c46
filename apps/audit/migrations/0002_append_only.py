"""The one door to the trail: a function of the owner. The application's role may read and call it, no more."""

from django.conf import settings
from django.db import migrations

APPEND = r"""
CREATE FUNCTION audit_append(rows jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    item jsonb;
    entry jsonb;
    detail jsonb;
    head audit_head%ROWTYPE;
    digest bytea;
BEGIN
    FOR item IN SELECT value FROM jsonb_array_elements(rows) LOOP
        INSERT INTO audit_head (chain, seq, hash)
            VALUES (item->>'chain', 0, decode(repeat('00', 32), 'hex')) ON CONFLICT (chain) DO NOTHING;
        SELECT * INTO STRICT head FROM audit_head WHERE chain = item->>'chain' FOR UPDATE;
        head.seq := head.seq + 1;
        digest := sha256(
            head.hash || convert_to(item->>'chain', 'UTF8') || '\x00'::bytea || int8send(head.seq)
            || convert_to(item->>'text', 'UTF8'));
        entry := (item->>'text')::jsonb;
        INSERT INTO audit_entry (
            id, chain, seq, at, actor_kind, actor_id, via, action, resource_type, resource_id, tenant_id,
            person_id, outcome, metadata, request_id, correlation_id, actor_commitment, subject_commitment,
            previous_hash, hash
        ) VALUES (
            (entry->>'id')::uuid, item->>'chain', head.seq, (entry->>'at')::timestamptz, entry->>'actor_kind',
            entry->>'actor_id', entry->>'via', entry->>'action', entry->>'resource_type',
            entry->>'resource_id', (entry->>'tenant_id')::uuid, (entry->>'person_id')::uuid,
            entry->>'outcome', entry->'metadata', entry->>'request_id', entry->>'correlation_id',
            decode(entry->>'actor_commitment', 'hex'), decode(entry->>'subject_commitment', 'hex'),
            head.hash, digest
        );
        FOR detail IN SELECT value FROM jsonb_array_elements(item->'details') LOOP
            INSERT INTO audit_detail (entry_id, part, person_id, salt, body) VALUES (
                (entry->>'id')::uuid, detail->>'part', (detail->>'person_id')::uuid,
                decode(detail->>'salt', 'hex'), detail->>'body');
        END LOOP;
        UPDATE audit_head SET seq = head.seq, hash = digest WHERE chain = item->>'chain';
    END LOOP;
END
$$;
"""


def restrict(apps, schema_editor):
    role = schema_editor.quote_name(settings.APPLICATION_DATABASE_ROLE)
    for table in ("audit_entry", "audit_detail", "audit_head"):
        schema_editor.execute(f"REVOKE ALL ON {table} FROM {role}")
        schema_editor.execute(f"GRANT SELECT ON {table} TO {role}")
    schema_editor.execute("REVOKE ALL ON FUNCTION audit_append(jsonb) FROM PUBLIC")
    schema_editor.execute(f"GRANT EXECUTE ON FUNCTION audit_append(jsonb) TO {role}")


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_trail")]

    operations = [
        migrations.RunSQL(APPEND, "DROP FUNCTION audit_append(jsonb)"),
        migrations.RunPython(restrict, migrations.RunPython.noop),
    ]
