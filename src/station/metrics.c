/* metrics: what a station counts, as Prometheus reads it */
#include "station/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "station/board.h"
#include "station/slots.h"

static const int LIMITS_MS[METRICS_BUCKETS] = {
	50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000,
};

void
metrics_clear(struct metrics *m)
{
	free(m->rows);
	*m = (struct metrics){ 0 };
}

void
metrics_verdict(struct metrics *m, const char *policy, enum reason reason)
{
	struct metrics_row *grown;
	size_t i;

	for (i = 0; i < m->n; i++)
		if (m->rows[i].reason == reason && strcmp(m->rows[i].policy, policy) == 0)
			break;
	if (i == m->n) {
		grown = m->n < METRICS_ROWS_MAX ?
		    reallocarray(m->rows, m->n + 1, sizeof(*grown)) : NULL;
		if (!grown) {
			m->uncounted++;
			return;
		}
		m->rows = grown;
		grown[m->n] = (struct metrics_row){ .reason = reason };
		snprintf(grown[m->n++].policy, sizeof(grown->policy), "%s", policy);
	}
	m->rows[i].n++;
}

void
metrics_job(struct metrics *m, int64_t duration_ms)
{
	size_t i = 0;

	while (i < METRICS_BUCKETS && duration_ms > LIMITS_MS[i])
		i++;
	m->buckets[i]++;
	m->duration_ms += duration_ms;
	m->jobs++;
}

/* ---- text -------------------------------------------------------------------------- */

static void
head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP chaperone_%s %s\n# TYPE chaperone_%s %s\n", name, help, name, type);
}

static void
plain(FILE *out, const char *name, const char *type, const char *help, uint64_t value)
{
	head(out, name, type, help);
	fprintf(out, "chaperone_%s %llu\n", name, (unsigned long long)value);
}

/* A label's value: backslash, quote and newline are escaped, as the format wants it. */
static void
put_label(FILE *out, const char *name, const char *value)
{
	fprintf(out, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '\n') {
			fputs("\\n", out);
			continue;
		}
		if (*value == '\\' || *value == '"')
			fputc('\\', out);
		fputc(*value, out);
	}
	fputc('"', out);
}

static void
put_verdicts(FILE *out, const struct metrics *m)
{
	size_t i;

	head(out, "verdicts_total", "counter", "Verdicts, also those that are tried again.");
	for (i = 0; i < m->n; i++) {
		const struct metrics_row *row = &m->rows[i];
		const char *reason = reason_word(row->reason);

		fputs("chaperone_verdicts_total{", out);
		put_label(out, "verdict", verdict_word(reason_verdict(row->reason)));
		fputc(',', out);
		put_label(out, "reason", reason ? reason : "");
		fputc(',', out);
		put_label(out, "policy", row->policy);
		fprintf(out, "} %llu\n", (unsigned long long)row->n);
	}
}

static void
put_durations(FILE *out, const struct metrics *m)
{
	uint64_t sum = 0;
	size_t i;

	head(out, "job_seconds", "histogram",
	    "How long jobs took, from their start to their verdict.");
	for (i = 0; i < METRICS_BUCKETS; i++) {
		sum += m->buckets[i];
		fprintf(out, "chaperone_job_seconds_bucket{le=\"%g\"} %llu\n",
		    LIMITS_MS[i] / 1000.0, (unsigned long long)sum);
	}
	fprintf(out, "chaperone_job_seconds_bucket{le=\"+Inf\"} %llu\n"
	    "chaperone_job_seconds_sum %.3f\nchaperone_job_seconds_count %llu\n",
	    (unsigned long long)m->jobs, (double)m->duration_ms / 1000,
	    (unsigned long long)m->jobs);
}

static void
put_slots(FILE *out, const struct slots *slots)
{
	size_t i;

	head(out, "slot_failures_total", "counter",
	    "Failures that a port, a cable or a hub may be to blame for.");
	for (i = 0; i < slots->n; i++) {
		if (!slots->items[i].failures && !slots->items[i].is_named)
			continue;
		fputs("chaperone_slot_failures_total{", out);
		put_label(out, "slot", slots->items[i].name);
		fprintf(out, "} %u\n", slots->items[i].failures);
	}
}

char *
metrics_text(const struct metrics *m, const struct board *board, const struct slots *slots)
{
	const struct board_counts counts = board_count(board);
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	plain(out, "devices_attached", "gauge", "Devices that are plugged in.", counts.attached);
	plain(out, "devices_working", "gauge", "Of these, worked on or about to be.",
	    counts.working);
	plain(out, "devices_waiting", "gauge", "Of these, waiting for somebody.", counts.waiting);
	put_verdicts(out, m);
	put_durations(out, m);
	plain(out, "retries_total", "counter", "Jobs that were tried again.", m->retries);
	plain(out, "usbmuxd_losses_total", "counter", "Times usbmuxd went away.", m->mux_losses);
	plain(out, "hook_failures_total", "counter", "Hooks that failed.", m->hook_failures);
	put_slots(out, slots);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}
