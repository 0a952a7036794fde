/* chart: coordinates are user units; the page scales them to its width */
#include "report/chart.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	WIDE = 980,		/* the whole page */
	HALF = 466,		/* one of two beside each other */
	LABEL = 150,		/* left of bars */
	NOTE = 134,		/* right of bars */
	LABEL_CHARACTERS = 20,
	ROW = 25,
	PLOT_HEIGHT = 190,
	LEFT = 36,		/* of plots, for the scale */
	DAYS_MAX = 92,		/* columns; beyond it they are weeks */
	COLUMNS_MAX = 1200,
};

void
chart_text(FILE *out, const char *text)
{
	for (; text && *text; text++) {
		switch (*text) {
		case '<': fputs("&lt;", out); break;
		case '>': fputs("&gt;", out); break;
		case '&': fputs("&amp;", out); break;
		case '"': fputs("&quot;", out); break;
		case '\'': fputs("&#39;", out); break;
		default: putc(*text, out);
		}
	}
}

static void
begin(FILE *out, const char *title, int width, int height)
{
	fprintf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", width, height);
	chart_text(out, title);
	fputs("\"><title>", out);
	chart_text(out, title);
	fputs("</title>\n", out);
}

/* What has room beside a bar, whole characters; the rest shows under the mouse. */
static void
label_text(FILE *out, const char *text)
{
	size_t len = 0, n;
	char *start;

	for (n = 0; text[len] && n < LABEL_CHARACTERS; n++)
		do
			len++;
		while (((unsigned char)text[len] & 0xc0) == 0x80);
	start = strndup(text, len);
	chart_text(out, start);
	free(start);
	if (!text[len])
		return;
	fputs("\xE2\x80\xA6<title>", out);
	chart_text(out, text);
	fputs("</title>", out);
}

static int64_t
sum(const int64_t n[TALLY_VERDICTS])
{
	return n[0] + n[1] + n[2] + n[3];
}

/* ---- bars -------------------------------------------------------------------------- */

static void
bar_pieces(FILE *out, const struct chart_bar *b, double scale, double y)
{
	double x = LABEL;
	int v;

	for (v = 0; v < TALLY_VERDICTS; v++) {
		double w = (double)b->n[v] * scale;

		if (b->n[v] == 0)
			continue;
		fprintf(out,
		    "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"15\">"
		    "<title>%lld %s</title></rect>\n",
		    b->class ? b->class : verdict_word((enum verdict)v), x, y, w < 1.5 ? 1.5 : w,
		    (long long)b->n[v], b->class ? "" : verdict_word((enum verdict)v));
		x += w < 1.5 ? 1.5 : w;
	}
	fprintf(out, "<text class=\"n\" x=\"%.1f\" y=\"%.1f\">", x + 7, y + 12);
	if (b->note)
		chart_text(out, b->note);
	else
		fprintf(out, "%lld", (long long)sum(b->n));
	fputs("</text>\n", out);
}

void
chart_bars(FILE *out, const char *title, const struct chart_bar *bars, size_t n)
{
	int64_t most = 1;
	double scale;
	size_t i;

	for (i = 0; i < n; i++)
		most = sum(bars[i].n) > most ? sum(bars[i].n) : most;
	scale = (double)(HALF - LABEL - NOTE) / (double)most;
	begin(out, title, HALF, (int)n * ROW + 4);
	for (i = 0; i < n; i++) {
		double y = 4 + (double)i * ROW;

		fprintf(out, "<text class=\"l\" x=\"%d\" y=\"%.1f\">", LABEL - 10, y + 12);
		label_text(out, bars[i].label);
		fputs("</text>\n", out);
		bar_pieces(out, &bars[i], scale, y);
	}
	fprintf(out, "<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"0\" y2=\"%d\"/></svg>\n",
	    LABEL, LABEL, (int)n * ROW + 4);
}

void
chart_share(FILE *out, const char *title, const int64_t n[TALLY_VERDICTS])
{
	double x = 0, whole = (double)(sum(n) ? sum(n) : 1);
	int v;

	begin(out, title, WIDE, 22);
	for (v = 0; v < TALLY_VERDICTS; v++) {
		double w = (double)n[v] / whole * WIDE;

		if (n[v] == 0)
			continue;
		fprintf(out,
		    "<rect class=\"%s\" x=\"%.1f\" y=\"0\" width=\"%.1f\" height=\"22\" rx=\"2\">"
		    "<title>%lld %s</title></rect>\n", verdict_word((enum verdict)v), x,
		    w > 3 ? w - 2 : w, (long long)n[v], verdict_word((enum verdict)v));
		x += w;
	}
	fputs("</svg>\n", out);
}

/* ---- plots --------------------------------------------------------------------------- */

/* 1, 2 or 5 times a power of ten: about four lines. */
static int64_t
nice_step(int64_t most)
{
	static const int64_t factors[] = { 2, 5, 10 };
	int64_t step = 1, base = 1;
	size_t i = 0;

	while (most / step > 4) {
		step = base * factors[i];
		if (++i == countof(factors)) {
			i = 0;
			base *= 10;
		}
	}
	return step;
}

/* Horizontal lines and their numbers. Returns the scale. */
static double
grid(FILE *out, int64_t most, int width)
{
	int64_t step = nice_step(most), top = (most + step - 1) / step * step, at;
	double scale = (double)PLOT_HEIGHT / (double)(top ? top : 1);

	for (at = 0; at <= top; at += step) {
		double y = 10 + PLOT_HEIGHT - (double)at * scale;

		fprintf(out, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
		    "<text class=\"s\" x=\"%d\" y=\"%.1f\">%lld</text>\n",
		    LEFT, width, y, y, LEFT - 8, y + 4, (long long)at);
	}
	return scale;
}

static void
day_text(int64_t day, bool is_short, char *out, size_t size)
{
	time_t at = (time_t)(day * 86400);
	struct tm tm;

	gmtime_r(&at, &tm);
	if (!strftime(out, size, is_short ? "%d %b" : "%Y-%m-%d", &tm))
		*out = '\0';
}

struct column {
	int64_t	day, n[TALLY_VERDICTS];
};

/* Days without a verdict are columns of nothing. */
static size_t
make_columns(const struct tally *t, int64_t width, struct column out[COLUMNS_MAX])
{
	size_t n = (size_t)((t->last_day - t->first_day) / width) + 1, i;
	int v;

	if (n > COLUMNS_MAX)
		n = COLUMNS_MAX;
	for (i = 0; i < n; i++)
		out[i] = (struct column){ .day = t->last_day - (int64_t)(n - i) * width + 1 };
	for (i = 0; i < t->by_day.n; i++) {
		int64_t day = strtoll(t->by_day.items[i].key, NULL, 10);
		int64_t at = (int64_t)n - 1 - (t->last_day - day) / width;

		for (v = 0; at >= 0 && v < TALLY_VERDICTS; v++)
			out[at].n[v] += t->by_day.items[i].n[v];
	}
	return n;
}

static void
draw_column(FILE *out, const struct column *c, double x, double w, double scale)
{
	double y = 10 + PLOT_HEIGHT;
	char day[16];
	int v;

	day_text(c->day, false, day, sizeof(day));
	fprintf(out, "<g><title>%s: %lld compliant, %lld noncompliant, "
	    "%lld blocked, %lld failed</title>", day, (long long)c->n[0], (long long)c->n[1],
	    (long long)c->n[2], (long long)c->n[3]);
	for (v = 0; v < TALLY_VERDICTS; v++) {
		double h = (double)c->n[v] * scale;

		if (c->n[v] == 0)
			continue;
		y -= h;
		fprintf(out,
		    "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
		    verdict_word((enum verdict)v), x, y, w, h);
	}
	fputs("</g>\n", out);
}

void
chart_days(FILE *out, const char *title, const struct tally *t)
{
	static struct column columns[COLUMNS_MAX];
	int64_t width = t->last_day - t->first_day >= DAYS_MAX ? 7 : 1, most = 1;
	size_t n = make_columns(t, width, columns), i, every;
	double step, scale;

	for (i = 0; i < n; i++)
		most = sum(columns[i].n) > most ? sum(columns[i].n) : most;
	begin(out, title, WIDE, PLOT_HEIGHT + 40);
	scale = grid(out, most, WIDE);
	step = (double)(WIDE - LEFT) / (double)(n < 8 ? 8 : n);
	every = n / 8 + 1;
	for (i = 0; i < n; i++) {
		double x = LEFT + (double)i * step;
		char label[16];

		draw_column(out, &columns[i], x + step * 0.12, step * 0.76, scale);
		if ((n - 1 - i) % every)
			continue;
		day_text(columns[i].day, true, label, sizeof(label));
		/* The last label would stand out over the edge. */
		fprintf(out, "<text class=\"%s\" x=\"%.1f\" y=\"%d\">%s</text>\n",
		    i + 1 == n && n >= 8 ? "s" : "m",
		    i + 1 == n && n >= 8 ? (double)WIDE : x + step / 2,
		    PLOT_HEIGHT + 30, label);
	}
	fputs("</svg>\n", out);
}

void
chart_times(FILE *out, const char *title, const struct tally *t)
{
	double step = (double)(HALF - LEFT) / TALLY_TIMES, scale;
	int64_t most = 1;
	size_t i;

	for (i = 0; i < TALLY_TIMES; i++)
		most = t->times[i] > most ? t->times[i] : most;
	begin(out, title, HALF, PLOT_HEIGHT + 40);
	scale = grid(out, most, HALF);
	for (i = 0; i < TALLY_TIMES; i++) {
		double h = (double)t->times[i] * scale, x = LEFT + (double)i * step;

		fprintf(out,
		    "<rect class=\"plain\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\">"
		    "<title>%lld</title></rect><text class=\"m\" x=\"%.1f\" y=\"%d\">",
		    x + step * 0.1, 10 + PLOT_HEIGHT - h, step * 0.8, h, (long long)t->times[i],
		    x + step / 2, PLOT_HEIGHT + 30);
		chart_text(out, tally_time_word(i));
		fputs("</text>\n", out);
	}
	fputs("</svg>\n", out);
}
