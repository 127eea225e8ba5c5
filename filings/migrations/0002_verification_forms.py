"""The table of stored forms: partitioned by hash of the unit, append-only by trigger (filings/models/forms.py)."""

from django.db import migrations

PARTITIONS = 16

CREATE = """
CREATE SEQUENCE filings_verificationform_id_seq AS bigint;
CREATE TABLE filings_verificationform (
    id bigint NOT NULL DEFAULT nextval('filings_verificationform_id_seq'),
    uuid uuid NOT NULL,
    unit_id bigint NOT NULL REFERENCES pilot_pilotunit (id),
    job_id bigint NOT NULL REFERENCES filings_uploadjob (id),
    "row" integer NOT NULL CHECK ("row" >= 1),
    form_no varchar(160) COLLATE "C" NOT NULL,
    chain_no varchar(160) COLLATE "C" NOT NULL,
    version smallint NOT NULL CHECK (version >= 1),
    supersedes varchar(160) NOT NULL,
    day date NOT NULL,
    received_at timestamptz NOT NULL,
    collected_at timestamptz NOT NULL,
    late boolean NOT NULL,
    filing_type varchar(16) NOT NULL,
    subject_province smallint NOT NULL,
    subject_kind varchar(8) NOT NULL,
    source varchar(8) NOT NULL,
    rule_version varchar(16) NOT NULL,
    subject_known boolean NOT NULL,
    digest bytea NOT NULL,
    subject_index bytea NOT NULL,
    key_id bigint NOT NULL REFERENCES filings_unitmonthkey (id),
    ciphertext bytea NOT NULL,
    PRIMARY KEY (unit_id, id),
    CONSTRAINT form_no_once UNIQUE (unit_id, form_no)
) PARTITION BY HASH (unit_id);
ALTER SEQUENCE filings_verificationform_id_seq OWNED BY filings_verificationform.id;
"""

PARTITION = (
    "CREATE TABLE filings_verificationform_p{n} PARTITION OF filings_verificationform "
    "FOR VALUES WITH (MODULUS {modulus}, REMAINDER {n});"
)

INDEXES = """
CREATE INDEX filings_form_id ON filings_verificationform (id);
CREATE INDEX filings_form_chain ON filings_verificationform (unit_id, chain_no, version);
CREATE INDEX filings_form_day ON filings_verificationform (unit_id, day);
CREATE INDEX filings_form_unit_list ON filings_verificationform (unit_id, received_at DESC, id DESC);
CREATE INDEX filings_form_list ON filings_verificationform (received_at DESC, id DESC);
CREATE INDEX filings_form_subject ON filings_verificationform (subject_index);
"""

APPEND_ONLY = """
CREATE FUNCTION filings_forms_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'stored forms are append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON filings_verificationform
    FOR EACH ROW EXECUTE FUNCTION filings_forms_append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON filings_verificationform
    FOR EACH STATEMENT EXECUTE FUNCTION filings_forms_append_only();
"""

# Stored forms queue the days they bear on (filings/models/dirty.py), once per day of a whole statement.
DIRTY_DAYS = """
CREATE FUNCTION filings_forms_dirty_days() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO filings_dirtyday (unit_id, day) SELECT DISTINCT unit_id, day FROM new_rows;
    RETURN NULL;
END $$;
CREATE TRIGGER dirty_days AFTER INSERT ON filings_verificationform
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION filings_forms_dirty_days();
"""

DROP = """
DROP TABLE filings_verificationform;
DROP FUNCTION filings_forms_append_only();
DROP FUNCTION filings_forms_dirty_days();
"""


class Migration(migrations.Migration):
    dependencies = [("filings", "0001_initial")]
    operations = [
        migrations.RunSQL(
            CREATE
            + "\n".join(PARTITION.format(n=n, modulus=PARTITIONS) for n in range(PARTITIONS))
            + INDEXES
            + APPEND_ONLY
            + DIRTY_DAYS,
            reverse_sql=DROP,
        )
    ]
