/* page: HTML around the charts; every text from elsewhere is escaped */
#include "report/page.h"

#include <string.h>
#include <time.h>

#include "base/text.h"
#include "report/chart.h"
#include "report/limits.h"
#include "report/style.h"
#include "report/tally.h"

enum { BARS_MAX = 12, SLOTS_MAX = 8, SETTINGS_MAX = 40 };

/* ---- small pieces -------------------------------------------------------------------- */

enum moment { A_DAY, A_MINUTE, IN_FULL };

static void
local_text(int64_t ms, enum moment form, char *out, size_t size)
{
	time_t at = (time_t)(ms / 1000);
	struct tm tm;

	localtime_r(&at, &tm);
	if (!strftime(out, size, form == A_DAY ? "%e %B %Y" : form == A_MINUTE ? "%Y-%m-%d %H:%M" :
		"%e %B %Y, %H:%M %Z", &tm))
		*out = '\0';
}

static void
age_text(int64_t now_ms, int64_t at_ms, char *out, size_t size)
{
	int64_t hours = (now_ms - at_ms) / 3600000;

	if (at_ms == 0)
		snprintf(out, size, "never");
	else if (hours < 1)
		snprintf(out, size, "within the hour");
	else if (hours < 48)
		snprintf(out, size, "%lld h", (long long)hours);
	else
		snprintf(out, size, "%lld days", (long long)(hours / 24));
}

static void
seconds_text(int64_t ms, char *out, size_t size)
{
	if (ms < 10000)
		snprintf(out, size, "%lld.%02lld s",
		    (long long)(ms / 1000), (long long)(ms % 1000 / 10));
	else
		snprintf(out, size, "%lld s", (long long)(ms / 1000));
}

static void
open_section(FILE *out, const char *title, const char *note)
{
	fputs("<section><h2>", out);
	chart_text(out, title);
	fputs("</h2>", out);
	if (note) {
		fputs("<p class=\"note\">", out);
		chart_text(out, note);
		fputs("</p>", out);
	}
	fputs("\n", out);
}

/* ---- head ------------------------------------------------------------------------------ */

static void
write_head(FILE *out, const struct tally *t, const struct page_about *about)
{
	char from[48], to[48], made[64];

	local_text(t->first_ms, A_DAY, from, sizeof(from));
	local_text(t->last_ms, A_DAY, to, sizeof(to));
	local_text(about->now_ms, IN_FULL, made, sizeof(made));
	fputs("<header><p class=\"kicker\">Device compliance report</p><h1>", out);
	chart_text(out, about->title ? about->title : "What the devices say");
	fprintf(out, "</h1><p class=\"meta\">%s to %s &middot; %lld jobs on %zu devices", from, to,
	    (long long)t->jobs, t->n_devices);
	if (about->stations) {
		fputs(" &middot; ", out);
		chart_text(out, about->stations);
	}
	if (about->policy) {
		fputs(" &middot; only policy ", out);
		chart_text(out, about->policy);
	}
	fprintf(out, "<br>made %s</p></header>\n", made);
}

static void
write_tile(FILE *out, enum verdict v, int64_t n, const char *what)
{
	fprintf(out, "<div class=\"tile\"><b><i class=\"dot %s\"></i>%lld</b>"
	    "<span>%s</span><small>%s</small></div>\n",
	    verdict_word(v), (long long)n, verdict_word(v), what);
}

static void
write_coverage(FILE *out, const struct tally *t)
{
	int64_t good = t->devices_now[VERDICT_COMPLIANT];

	fprintf(out, "<section class=\"hero\"><p class=\"big\"><b>%lld</b> of %zu devices "
	    "are known to be compliant</p>\n"
	    "<p class=\"note\">By the last verdict on each. A verdict rests on what the "
	    "device itself answered, never on a request that was sent.</p>\n",
	    (long long)good, t->n_devices);
	chart_share(out, "Devices by their last verdict", t->devices_now);
	fputs("<div class=\"tiles\">", out);
	write_tile(out, VERDICT_COMPLIANT, good, "as they should be");
	write_tile(out, VERDICT_NONCOMPLIANT, t->devices_now[VERDICT_NONCOMPLIANT],
	    "not as they should be");
	write_tile(out, VERDICT_BLOCKED, t->devices_now[VERDICT_BLOCKED], "a person must act");
	write_tile(out, VERDICT_FAILED, t->devices_now[VERDICT_FAILED], "something went wrong");
	fputs("</div></section>\n", out);
}

/* ---- charts ------------------------------------------------------------------------------- */

static void
write_ages(FILE *out, const struct tally *t)
{
	struct chart_bar bars[TALLY_AGES];
	size_t i;

	for (i = 0; i < TALLY_AGES; i++)
		bars[i] = (struct chart_bar){ .label = tally_age_word(i), .n = { t->ages[i] },
			.class = i < 2 ? "compliant" :
			    i < TALLY_AGES - 1 ? "noncompliant" : "failed" };
	open_section(out, "How old the proof is",
	    "Devices by when they were last found compliant. What was true then may not be now.");
	chart_bars(out, "Devices by age of the last compliant verdict", bars, TALLY_AGES);
	fputs("</section>\n", out);
}

static void
write_days(FILE *out, const struct tally *t)
{
	int v;

	open_section(out, "Verdicts over time", NULL);
	fputs("<p class=\"legend\">", out);
	for (v = 0; v < TALLY_VERDICTS; v++)
		fprintf(out, "<span><i class=\"dot %s\"></i>%s</span>",
		    verdict_word((enum verdict)v), verdict_word((enum verdict)v));
	fputs("</p><div class=\"scrolls\">\n", out);
	chart_days(out, "Verdicts by day", t);
	fputs("</div></section>\n", out);
}

static void
write_reasons(FILE *out, const struct tally *t)
{
	struct chart_bar bars[BARS_MAX];
	size_t n = t->by_reason.n < BARS_MAX ? t->by_reason.n : BARS_MAX, i;

	if (n == 0)
		return;
	for (i = 0; i < n; i++) {
		bars[i] = (struct chart_bar){ .label = t->by_reason.items[i].key };
		memcpy(bars[i].n, t->by_reason.items[i].n, sizeof(bars[i].n));
	}
	open_section(out, "Why jobs did not end compliant",
	    "Jobs by reason; the colour is the verdict.");
	chart_bars(out, "Jobs by reason", bars, n);
	fputs("</section>\n", out);
}

static void
write_times(FILE *out, const struct tally *t)
{
	char median[32], p95[32], longest[32], note[256];

	if (t->n_durations == 0)
		return;
	seconds_text(t->median_ms, median, sizeof(median));
	seconds_text(t->p95_ms, p95, sizeof(p95));
	seconds_text(t->longest_ms, longest, sizeof(longest));
	snprintf(note, sizeof(note), "Half of the jobs took %s or less, 19 of 20 %s or less, "
	    "the longest %s. A column counts the jobs below its mark.",
	    median, p95, longest);
	open_section(out, "Time per device", note);
	chart_times(out, "Jobs by duration", t);
	fputs("</section>\n", out);
}

static void
write_slots(FILE *out, const struct tally *t)
{
	struct chart_bar bars[BARS_MAX];
	char labels[BARS_MAX][64], notes[BARS_MAX][64];
	size_t n = 0, i;

	for (i = 0; i < t->by_slot.n && n < SLOTS_MAX; i++) {
		const struct tally_group *g = &t->by_slot.items[i];
		int64_t failed = g->n[VERDICT_FAILED];

		if (failed == 0)
			continue;
		snprintf(labels[n], sizeof(labels[n]), "slot %s", g->key);
		snprintf(notes[n], sizeof(notes[n]), "%lld of %lld (%lld %%)", (long long)failed,
		    (long long)g->total, (long long)(failed * 100 / g->total));
		bars[n] = (struct chart_bar){ .label = labels[n], .note = notes[n], .n = { failed },
			.class = "failed" };
		n++;
	}
	if (n == 0)
		return;
	open_section(out, "Slots with failures",
	    "A slot that fails much more often than others has a bad cable or port.");
	chart_bars(out, "Failed jobs by slot", bars, n);
	fputs("</section>\n", out);
}

/* ---- tables ---------------------------------------------------------------------------------- */

static void
write_policies(FILE *out, const struct tally *t)
{
	size_t i;
	int v;

	if (t->by_policy.n == 0)
		return;
	open_section(out, "Policies", NULL);
	fputs("<table class=\"numbers\"><thead><tr><th>policy", out);
	for (v = 0; v < TALLY_VERDICTS; v++)
		fprintf(out, "<th>%s", verdict_word((enum verdict)v));
	fputs("<th>jobs</thead><tbody>\n", out);
	for (i = 0; i < t->by_policy.n; i++) {
		const struct tally_group *g = &t->by_policy.items[i];

		fputs("<tr><td>", out);
		chart_text(out, g->key);
		for (v = 0; v < TALLY_VERDICTS; v++)
			fprintf(out, "<td>%lld", (long long)g->n[v]);
		fprintf(out, "<td>%lld\n", (long long)g->total);
	}
	fputs("</tbody></table></section>\n", out);
}

static void
write_cell(FILE *out, const char *main, const char *below)
{
	fputs("<td>", out);
	chart_text(out, main ? main : "\xE2\x80\x93");
	if (below) {
		fputs("<small>", out);
		chart_text(out, below);
		fputs("</small>", out);
	}
}

static void
write_device(FILE *out, const struct tally_device *d, const struct page_about *about)
{
	int64_t now_ms = about->now_ms;
	enum verdict v = d->was_removed ? VERDICT_NONCOMPLIANT : d->verdict;
	const char *why = d->was_removed ? "profile removed" : d->reason ? d->reason : d->truth;
	char age[32], proof[64], when[32], slot[96];

	age_text(now_ms, d->at_ms, age, sizeof(age));
	local_text(d->at_ms, A_MINUTE, when, sizeof(when));
	fputs("<tr>", out);
	write_cell(out, d->name ? d->name : d->device, d->name ? d->device : NULL);
	write_cell(out, d->model, d->os);
	write_cell(out, d->serial, d->policy);
	fprintf(out, "<td><i class=\"dot %s\"></i>%s<small>", verdict_word(v), verdict_word(v));
	chart_text(out, why);
	fputs("</small>", out);
	write_cell(out, d->at_ms ? age : "never", d->at_ms ? when : NULL);
	age_text(now_ms, d->compliant_ms, proof, sizeof(proof));
	/* Where it was: one station is in the head of the page. */
	snprintf(slot, sizeof(slot), "%s%s%s%s", about->stations || !d->station ? "" : d->station,
	    about->stations || !d->station || !d->slot ? "" : ", ", d->slot ? "slot " : "",
	    d->slot ? d->slot : "");
	write_cell(out, proof, slot[0] ? slot : NULL);
	fputs("\n", out);
}

static void
write_devices(FILE *out, const struct tally *t, const struct page_about *about)
{
	size_t i;

	open_section(out, "Devices", "Those that need something come first. "
	    "Below the verdict stands its reason, or the truth it rests on: "
	    "effective (the device itself reported the restriction in force) "
	    "or present (the device's own list shows the profile).");
	fputs("<div class=\"scrolls\"><table class=\"devices\"><thead><tr><th>device<th>model"
	    "<th>serial, policy<th>last verdict<th>ago<th>compliant, where</thead><tbody>\n", out);
	for (i = 0; i < t->n_devices; i++)
		write_device(out, &t->devices[i], about);
	fputs("</tbody></table></div></section>\n", out);
}

/* ---- what it means ------------------------------------------------------- */

static void
write_settings(FILE *out, const struct tally *t)
{
	size_t n = t->by_setting.n < SETTINGS_MAX ? t->by_setting.n : SETTINGS_MAX, i;

	if (n == 0)
		return;
	open_section(out, "What was asked of the devices",
	    "Every restriction that a policy or profile wanted, by its own key. "
	    "A compliant device was found to have it.");
	fputs("<table class=\"settings\"><thead><tr><th>restriction<th>what it does"
	    "<th>devices</thead><tbody>\n", out);
	for (i = 0; i < n; i++) {
		const struct tally_group *g = &t->by_setting.items[i];
		const char *effect = limits_effect(g->key);

		fputs("<tr><td><code>", out);
		chart_text(out, g->key);
		fputs("</code><td>", out);
		chart_text(out, effect ? effect : "\xE2\x80\x93");
		fprintf(out, "<td>%lld\n", (long long)g->total);
	}
	fputs("</tbody></table>", out);
	if (n < t->by_setting.n)
		fprintf(out, "<p class=\"note\">and %zu more; see the report as JSON</p>",
		    t->by_setting.n - n);
	fputs("</section>\n", out);
}

static void
write_limits(FILE *out, const struct tally *t)
{
	struct limit limits[LIMITS_MAX];
	size_t n = limits_of(t, limits), i;

	fputs("<section class=\"limits\">"
	    "<h2>What this covers, and what it does not</h2><ul>\n", out);
	for (i = 0; i < n; i++) {
		char claim[LIMIT_CLAIM_MAX];

		limit_claim(&limits[i], t, claim);
		fputs("<li><b>", out);
		chart_text(out, claim);
		fputs("</b> ", out);
		chart_text(out, limits[i].detail);
		fputs("\n", out);
	}
	fputs("</ul></section>\n", out);
}

static void
write_footer(FILE *out, const struct page_about *about)
{
	fprintf(out, "<footer class=\"%s\"><p>", about->is_broken ? "broken" : "holds");
	chart_text(out, about->evidence);
	fputs("</p><p>Source: ", out);
	chart_text(out, about->source);
	fputs(". Anyone can check it: see chaperone-ledger(5).</p></footer>\n", out);
}

static void
write_nothing(FILE *out)
{
	fputs("<section class=\"hero\"><p class=\"big\">No verdict in this time</p>"
	    "<p class=\"note\">Nothing was verified or applied. "
	    "Widen the time, or plug devices in.</p></section>\n", out);
}

void
page_write(FILE *out, const struct tally *t, const struct page_about *about)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
	    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	    "style-src 'unsafe-inline'\">"
	    "<meta name=\"color-scheme\" content=\"light dark\"><title>", out);
	chart_text(out, about->title ? about->title : "Device compliance");
	fprintf(out, "</title>\n<style>\n%s</style></head><body><main>\n", report_style);
	if (t->jobs == 0) {
		write_nothing(out);
	} else {
		write_head(out, t, about);
		write_coverage(out, t);
		fputs("<div class=\"pair\">", out);
		write_ages(out, t);
		write_reasons(out, t);
		fputs("</div>", out);
		write_days(out, t);
		fputs("<div class=\"pair\">", out);
		write_times(out, t);
		write_slots(out, t);
		fputs("</div>", out);
		write_policies(out, t);
		write_settings(out, t);
		write_limits(out, t);
		write_devices(out, t, about);
	}
	write_footer(out, about);
	fputs("</main></body></html>\n", out);
}
