"""The second door to the trail: removes the personal details of one person, and leaves a row that says so."""

from django.conf import settings
from django.db import migrations

# `words` are whole e-mail addresses: as a part of a longer one they would take other people's details. `called` is
# looked for only in what the person did: anywhere else it may be a namesake's.
SHRED = r"""
CREATE FUNCTION audit_shred(person uuid, words text[], called text, witness jsonb) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    entry jsonb := (witness->0->>'text')::jsonb;
    word text;
    special text := '([].^$*+?(){}|/\\[-])';
    whole text;
    doomed bigint[];
    found bigint[];
    gone integer;
    -- What a witness says of its subject; else each call would shred the row of the one before.
    empty text := '{"after":{},"before":{},"reason":""}';
BEGIN
    IF jsonb_array_length(witness) IS DISTINCT FROM 1 OR entry->>'action' IS DISTINCT FROM 'audit.shred'
        OR entry->>'person_id' IS DISTINCT FROM person::text
    THEN
        RAISE EXCEPTION 'details are shredded with a row of the trail that names the person'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT coalesce(array_agg(id), '{}') INTO doomed FROM audit_detail
        WHERE person_id = person AND body <> empty;
    FOREACH word IN ARRAY words LOOP
        IF word !~ '^[^@\s]+@[^@\s]+$' THEN
            RAISE EXCEPTION 'not an e-mail address' USING ERRCODE = 'invalid_parameter_value';
        END IF;
        whole := '(?<![[:alnum:]_.%+-])' || regexp_replace(word, special, '\\\1', 'g') || '(?![[:alnum:]_-]|\.[[:alnum:]])';
        SELECT coalesce(array_agg(id), '{}') INTO found FROM audit_detail
            WHERE body ILIKE '%' || regexp_replace(word, '([\\%_])', '\\\1', 'g') || '%' AND body ~* whole;
        doomed := doomed || found;
    END LOOP;
    IF length(called) > 1 THEN
        whole := '(?<![[:alnum:]_])' || regexp_replace(called, special, '\\\1', 'g') || '(?![[:alnum:]_])';
        SELECT coalesce(array_agg(d.id), '{}') INTO found FROM audit_detail d JOIN audit_entry e ON e.id = d.entry_id
            WHERE e.actor_id = entry->>'resource_id' AND d.body ~* whole;
        doomed := doomed || found;
    END IF;
    IF cardinality(doomed) = 0 THEN
        RETURN 0;
    END IF;
    PERFORM audit_append(witness);
    DELETE FROM audit_detail WHERE id = ANY (doomed);
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$;
"""


def restrict(apps, schema_editor):
    role = schema_editor.quote_name(settings.APPLICATION_DATABASE_ROLE)
    schema_editor.execute("REVOKE ALL ON FUNCTION audit_shred(uuid, text[], text, jsonb) FROM PUBLIC")
    schema_editor.execute(f"GRANT EXECUTE ON FUNCTION audit_shred(uuid, text[], text, jsonb) TO {role}")


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_anchors_and_verifications")]

    operations = [
        migrations.RunSQL(SHRED, "DROP FUNCTION audit_shred(uuid, text[], text, jsonb)"),
        migrations.RunPython(restrict, migrations.RunPython.noop),
    ]
