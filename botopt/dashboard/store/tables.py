"""The tables, and how the narrow ones are made of the lines that were read.

`lines` holds what was read, line by line, and only ever grows; everything else is made anew from it. Times are
microseconds since 1970 UTC; days and hours are those of the user's own clock.
"""

from __future__ import annotations

VERSION = "1"
"""Of the table of lines; where it is another one, files are read anew."""

DERIVED = "3"
"""Of all other tables; where it is another one, they are made anew of the lines."""

BASE = (
    """CREATE TABLE IF NOT EXISTS lines (
        seq BIGINT, file INTEGER, id VARCHAR, source VARCHAR, "user" VARCHAR, time_us BIGINT,
        outcome VARCHAR, event_id VARCHAR, event_type VARCHAR, reason VARCHAR, "by" VARCHAR, detail VARCHAR,
        until_us BIGINT, score DOUBLE, threshold DOUBLE, parts VARCHAR, cause VARCHAR, choices VARCHAR,
        template VARCHAR, variant VARCHAR, locale VARCHAR, channel VARCHAR, text VARCHAR,
        snapshot VARCHAR, revision VARCHAR, type VARCHAR, data VARCHAR)""",
    "CREATE TABLE IF NOT EXISTS stated (id VARCHAR, response VARCHAR, response_us BIGINT)",
    'CREATE TABLE IF NOT EXISTS stated_zones ("user" VARCHAR, zone VARCHAR)',
    "CREATE TABLE IF NOT EXISTS problems (words VARCHAR, count BIGINT, first VARCHAR)",
    """CREATE TABLE IF NOT EXISTS files (
        number INTEGER, path VARCHAR, size BIGINT, mtime_ns BIGINT, head VARCHAR, tail VARCHAR, read_bytes BIGINT)""",
    "CREATE TABLE IF NOT EXISTS meta (key VARCHAR, value VARCHAR)",
)

COLUMNS = {
    "id": "VARCHAR",
    "source": "VARCHAR",
    "user": "VARCHAR",
    "subject": "VARCHAR",
    "specversion": "VARCHAR",
    "time": "VARCHAR",
    "outcome": "VARCHAR",
    "event_id": "VARCHAR",
    "event_type": "VARCHAR",
    "reason": "VARCHAR",
    "by": "VARCHAR",
    "detail": "VARCHAR",
    "until": "VARCHAR",
    "score": "DOUBLE",
    "threshold": "DOUBLE",
    "parts": "JSON",
    "cause": "VARCHAR",
    "choices": "JSON",
    "message": "STRUCT(template VARCHAR, variant VARCHAR, locale VARCHAR, channel VARCHAR, text VARCHAR)",
    "snapshot": "VARCHAR",
    "revision": "VARCHAR",
    "type": "VARCHAR",
    "data": "JSON",
}
"""The keys of records and events, and their types for `read_json`."""

_US = "epoch_us(try_cast({} AS TIMESTAMPTZ))"

# A line that could not be read comes as a row of NULLs; it is kept without an id until it has been counted.
READ = f"""
INSERT INTO lines SELECT
    $first + row_number() OVER (), $file, id, CASE WHEN specversion IS NULL THEN '' ELSE source END,
    CASE WHEN specversion IS NULL THEN "user" ELSE coalesce(subject, "user") END, {_US.format("time")},
    outcome, event_id, event_type, reason, "by", detail, {_US.format("until")}, score, threshold,
    CASE WHEN parts::VARCHAR <> '[]' THEN parts::VARCHAR END, cause,
    CASE WHEN choices::VARCHAR <> '[]' THEN choices::VARCHAR END,
    message.template, message.variant, message.locale, message.channel, message.text,
    snapshot, revision, type, CASE WHEN type LIKE 'user.%' OR type LIKE 'message.%' THEN data::VARCHAR END
FROM read_json($path, format = 'newline_delimited', ignore_errors = true, compression = $compression,
               columns = {{COLUMNS}})
"""  # noqa: S608

_OUTCOMES = "'sent', 'skipped', 'below_threshold', 'suppressed', 'held', 'rejected'"

COUNT_BAD = f"""
SELECT count(*), min(seq) FROM lines
WHERE seq > $first AND NOT (id IS NOT NULL AND (
    coalesce(outcome, '') IN ({_OUTCOMES}) OR (
        outcome IS NULL AND type IS NOT NULL AND "user" IS NOT NULL AND time_us IS NOT NULL)))
"""  # noqa: S608
DROP_BAD = COUNT_BAD.replace("SELECT count(*), min(seq) FROM", "DELETE FROM")

FEEDBACK = """
CREATE OR REPLACE TABLE feedback AS
SELECT seq, id, "user", time_us, type, data->>'$.message_id' AS message_id, data->>'$.event_type' AS event_type,
       coalesce(data->>'$.handed_over', '') = 'true' AS handed_over
FROM lines
WHERE outcome IS NULL AND type IN ('message.clicked', 'message.converted', 'message.dismissed', 'message.failed')
QUALIFY row_number() OVER (PARTITION BY "user", source, id ORDER BY seq) = 1
"""

ZONES = """
CREATE OR REPLACE TABLE zones AS
SELECT "user", from_us, zone FROM (
    SELECT "user", time_us AS from_us, data->>'$.timezone' AS zone, seq FROM lines WHERE type = 'user.updated'
    UNION ALL SELECT "user", -9000000000000000, zone, 0 FROM stated_zones)
WHERE zone IN (SELECT name FROM pg_timezone_names())
QUALIFY row_number() OVER (PARTITION BY "user", from_us ORDER BY seq DESC) = 1
"""

ARRIVALS = """
CREATE OR REPLACE TABLE arrivals AS
SELECT type AS event_type, (timezone($zone, make_timestamptz(time_us)))::DATE AS day, count(*) AS events
FROM (SELECT any_value(type) AS type, min(time_us) AS time_us FROM lines
      WHERE outcome IS NULL AND type NOT LIKE 'user.%' AND type NOT LIKE 'message.%'
      GROUP BY "user", source, id)
GROUP BY ALL
"""

USERS = """
CREATE OR REPLACE TABLE users AS
SELECT "user", row_number() OVER (ORDER BY "user") AS number
FROM (SELECT DISTINCT "user" FROM lines WHERE outcome IS NOT NULL AND "user" IS NOT NULL)
"""

KEPT = """
CREATE OR REPLACE TEMP TABLE kept AS
SELECT seq, id, "user", event_id, event_type, time_us, outcome, reason, "by", score, threshold,
       choices IS NOT NULL AS drew, template, variant, locale, channel, revision
FROM lines WHERE outcome IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1
"""

FATES = """
CREATE OR REPLACE TEMP TABLE fates AS
WITH said AS (
    SELECT d.id, d.time_us AS sent_us, f.type, greatest(f.time_us, d.time_us) AS at_us
    FROM feedback f LEFT JOIN targets t ON t.seq = f.seq JOIN kept d ON d.id = coalesce(f.message_id, t.id)
    WHERE d.outcome = 'sent' AND d."user" = f."user" AND f.time_us < d.time_us + $window AND NOT f.handed_over)
SELECT id,
    min(at_us) FILTER (type = 'message.failed') AS failed_us,
    min(at_us) FILTER (type IN ('message.clicked', 'message.converted')) AS clicked_us,
    min(at_us) FILTER (type = 'message.dismissed' AND at_us < sent_us + $ignored_after) AS dismissed_us,
    bool_or(type = 'message.converted') AS converted
FROM said GROUP BY id
"""

DECISIONS = """
CREATE OR REPLACE TABLE decisions AS
WITH again AS (
    SELECT "user", event_id, max(time_us) AS last_us FROM kept
    WHERE ("user", event_id) IN (SELECT ("user", event_id) FROM kept WHERE outcome = 'held')
      AND coalesce(reason, '') NOT IN ('duplicate', 'rejected') GROUP BY ALL),
dated AS (
    SELECT d.*, timezone(coalesce(z.zone, $zone), make_timestamptz(d.time_us)) AS local
    FROM kept d ASOF LEFT JOIN zones z ON z."user" = d."user" AND d.time_us >= z.from_us)
SELECT d.seq, d.id, u.number AS user_number, d.event_type, d.time_us, d.local::DATE AS day,
    hour(d.local)::TINYINT AS hour, isodow(d.local)::TINYINT AS weekday,
    d.outcome, d.reason, d."by", d.score, d.threshold, d.drew, d.template, d.variant, d.locale, d.channel, d.revision,
    coalesce(d.reason, '') NOT IN ('duplicate', 'rejected')
        AND (d.outcome <> 'held' OR a.last_us IS NULL OR a.last_us <= d.time_us) AS final,
    CASE WHEN d.outcome <> 'sent' THEN NULL
         WHEN f.failed_us IS NOT NULL OR s.response = 'failed' THEN 'failed'
         WHEN f.clicked_us IS NOT NULL OR s.response = 'clicked' THEN 'clicked'
         WHEN f.dismissed_us IS NOT NULL OR s.response = 'dismissed' THEN 'dismissed'
         WHEN d.time_us + $ignored_after > $until THEN 'pending'
         WHEN $forgets AND s.id IS NULL THEN 'unknown'
         ELSE 'ignored' END AS response,
    coalesce(f.failed_us, f.clicked_us, f.dismissed_us, s.response_us) AS response_us,
    d.outcome = 'sent' AND d.time_us + $ignored_after <= $until AND CASE
        WHEN f.failed_us IS NOT NULL OR s.response = 'failed' THEN false
        WHEN f.clicked_us IS NOT NULL OR f.dismissed_us IS NOT NULL THEN true
        WHEN s.response IN ('clicked', 'dismissed') THEN true
        ELSE NOT ($forgets AND s.id IS NULL) END AS known,
    coalesce(f.converted, false) AND f.failed_us IS NULL AND f.clicked_us IS NOT NULL AS converted
FROM dated d LEFT JOIN users u ON u."user" = d."user"
    LEFT JOIN fates f ON f.id = d.id LEFT JOIN stated s ON s.id = d.id
    LEFT JOIN again a ON d.outcome = 'held' AND a."user" = d."user" AND a.event_id = d.event_id
"""

CHOICES = """
CREATE OR REPLACE TEMP TABLE choices AS
WITH drawn AS (
    SELECT l.id, unnest(from_json(l.choices, '[{"purpose": "VARCHAR", "chosen": "VARCHAR", "eligible": ["VARCHAR"],
                                             "draw": "DOUBLE", "propensity": "DOUBLE"}]')) AS choice
    FROM lines l JOIN kept ON kept.seq = l.seq WHERE kept.drew)
SELECT c.id, choice.purpose AS purpose, choice.chosen AS chosen, len(choice.eligible) AS eligible,
       choice.propensity AS propensity, d.user_number, d.event_type, d.day, d.channel, d.locale, d.outcome, d.revision,
       d.template, d.response, d.known
FROM drawn c JOIN decisions d ON d.id = c.id
"""

DRAWN = """
CREATE OR REPLACE TABLE drawn AS
SELECT purpose, chosen, day, event_type, channel, locale, outcome, revision, template, response, known,
       count(*) AS n, sum(propensity) AS propensities
FROM choices WHERE purpose NOT LIKE 'experiment %' GROUP BY ALL
"""

EXPOSURES = """
CREATE OR REPLACE TABLE exposures AS
SELECT substr(purpose, 12) AS experiment, chosen AS arm, propensity, user_number, day, event_type, channel, locale,
       outcome, revision, response, known
FROM choices WHERE purpose LIKE 'experiment %'
"""

DAILY = """
CREATE OR REPLACE TABLE daily AS
SELECT day, weekday, event_type, outcome, reason, "by", template, variant, locale, channel, revision, final, response,
       known, converted, count(*) AS n, min(time_us) AS first_us
FROM decisions GROUP BY ALL
"""

HOURLY = """
CREATE OR REPLACE TABLE hourly AS
SELECT day, weekday, hour, event_type, outcome, locale, channel, revision, response, known, count(*) AS n
FROM decisions GROUP BY ALL
"""
