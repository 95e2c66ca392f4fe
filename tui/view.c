/* SPDX-License-Identifier: Apache-2.0 */
/* What the views have in common. */
#include "tui/view.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "exporters/format.h"
#include "exporters/waterfall_text.h"
#include "tui/terminal.h"
#include "util/array.h"
#include "util/cleanup.h"

/* ---- lists ---- */

void list_clamp(struct list *l, size_t count, size_t page)
{
	l->page = page;
	if (l->cursor >= count)
		l->cursor = count ? count - 1 : 0;
	if (l->top > l->cursor)
		l->top = l->cursor;
	if (page && l->cursor >= l->top + page)
		l->top = l->cursor - page + 1;
	if (l->top + page > count)
		l->top = count > page ? count - page : 0;
}

size_t list_at(const struct list *l, size_t count, size_t row)
{
	size_t index = l->top + row - l->origin;

	return row >= l->origin && row < l->origin + l->page && index < count ? index : SIZE_MAX;
}

/* Where an action moves an index. */
static bool move_index(size_t *index, size_t count, size_t page, enum action action)
{
	size_t last = count ? count - 1 : 0, jump = page > 1 ? page - 1 : 1;

	switch (action) {
	case ACT_UP: *index -= *index > 0; break;
	case ACT_DOWN: *index += *index < last; break;
	case ACT_PAGE_UP: *index = *index > jump ? *index - jump : 0; break;
	case ACT_PAGE_DOWN: *index = *index + jump < last ? *index + jump : last; break;
	case ACT_FIRST: *index = 0; break;
	case ACT_LAST: *index = last; break;
	default: return false;
	}
	return true;
}

bool list_act(struct list *l, size_t count, enum action action)
{
	return move_index(&l->cursor, count, l->page, action);
}

bool list_scroll(struct list *l, size_t count, enum action action)
{
	size_t pages = count > l->page ? count - l->page + 1 : 1;
	bool moved = move_index(&l->top, pages, l->page, action);

	l->cursor = l->top;
	return moved;
}

/* ---- text ---- */

char *compact_duration(char *buffer, uint64_t ns, bool utf8)
{
	char *to = buffer;

	format_duration(buffer, ns, utf8);
	for (const char *from = buffer; *from; from++) {
		if (*from != ' ')
			*to++ = *from;
	}
	*to = '\0';
	return buffer;
}

char *compact_bytes(char *buffer, int64_t bytes)
{
	char *space;

	if (bytes < 0) {
		strcpy(buffer, "-");
		return buffer;
	}
	format_bytes(buffer, (uint64_t)bytes);
	space = strchr(buffer, ' ');
	if (space) { /* "256 MiB" -> "256M", "0 B" -> "0" */
		space[0] = space[1] == 'B' ? '\0' : space[1];
		space[1] = '\0';
	}
	return buffer;
}

char *clock_text(char *buffer, const struct model *m, uint64_t at_ns, bool milliseconds)
{
	uint32_t ns;
	time_t seconds = (time_t)model_wall(m, at_ns, &ns);
	struct tm tm;

	if (!at_ns || !localtime_r(&seconds, &tm)) {
		strcpy(buffer, "-");
		return buffer;
	}
	snprintf(buffer, FORMAT_MAX, milliseconds ? "%02u:%02u:%02u.%03u" : "%02u:%02u:%02u", (unsigned int)tm.tm_hour % 24,
		(unsigned int)tm.tm_min % 60, (unsigned int)tm.tm_sec % 61, ns / 1000000 % 1000);
	return buffer;
}

void container_label(struct strbuf *sb, const struct container *c, bool utf8)
{
	size_t length = strlen(c->id);

	if (c->name && *c->name)
		format_text(sb, c->name, strnlen(c->name, 200), utf8);
	else
		format_text(sb, c->id, length >= 64 ? 12 : length, utf8);
}

void container_state_text(struct strbuf *sb, const struct container *c, uint8_t *ret_style)
{
	uint8_t style = STYLE_NORMAL;

	if (c->exit.known && c->state == STATE_EXITED) {
		style = c->exit.code ? STYLE_BAD : STYLE_DIM;
		strbuf_printf(sb, c->exit.oom ? "OOM %d" : "exit %d", c->exit.code);
	} else if (text_is_failure(c)) {
		style = STYLE_BAD;
		strbuf_puts(sb, "failed");
	} else {
		style = c->state == STATE_RUNNING ? STYLE_GOOD : c->state == STATE_EXITED ? STYLE_DIM : STYLE_WARN;
		strbuf_puts(sb, container_state_name(c->state));
	}
	if (ret_style)
		*ret_style = style;
}

bool text_has(const char *text, const char *part)
{
	return text && part && strcasestr(text, part);
}

/* ---- little pictures ---- */

void spark_put(struct screen *s, size_t row, size_t column, size_t width, uint8_t style, const double *values,
	size_t count, double most)
{
	size_t levels = GLYPH_SPARK_LAST - GLYPH_SPARK_FIRST + 1;

	for (size_t i = 0; i < width && i < count; i++) {
		double value = values[count - 1 - i];
		size_t level = most > 0 && value > 0 ? (size_t)(value / most * (double)levels) : 0;
		enum glyph g = (enum glyph)(GLYPH_SPARK_FIRST + (level < levels ? level : levels - 1));

		if (value >= 0)
			screen_glyph(s, row, column + width - 1 - i, style, glyph(g, s->utf8));
	}
}

void gauge_put(struct screen *s, size_t row, size_t column, size_t width, uint8_t style, double part)
{
	size_t full = part <= 0 ? 0 : part >= 1 ? width : (size_t)(part * (double)width + 0.5);

	for (size_t i = 0; i < width; i++)
		screen_glyph(s, row, column + i, i < full ? style : STYLE_DIM,
			glyph(i < full ? GLYPH_FULL : GLYPH_EMPTY, s->utf8));
}

size_t wrap_put(struct screen *s, size_t row, size_t column, size_t width, size_t rows, uint8_t style, const char *text)
{
	size_t used = 0;

	while (*text && used < rows) {
		size_t fits = 0, at = 0, columns = 0, length = strlen(text);

		/* as many whole words as fit; a word that is longer than the line is cut into lines */
		while (at < length) {
			size_t n = utf8_sequence(text + at, length - at);
			char one[8] = "";

			n = n ? n : 1;
			memcpy(one, text + at, n);
			columns += format_width(one);
			if (columns > width)
				break;
			at += n;
			if (at == length || text[at] == ' ')
				fits = at;
		}
		fits = fits ? fits : at ? at : length;
		_cleanup_free_ char *line = xstrndup(text, fits);

		screen_put(s, row + used, column, width, style, line);
		used++;
		text += fits;
		text += strspn(text, " ");
	}
	return used;
}

uint8_t phase_style(enum phase phase)
{
	static const uint8_t colors[PHASE_COUNT] = {
		[PHASE_REQUEST] = 0, [PHASE_IMAGE] = 1, [PHASE_ROOTFS] = 1, [PHASE_NETWORK] = 2, [PHASE_CGROUP] = 3,
		[PHASE_NAMESPACES] = 4, [PHASE_MOUNTS] = 0, [PHASE_HOOKS] = 2, [PHASE_PIVOT] = 1, [PHASE_HARDEN] = 3,
		[PHASE_EXEC] = 4, [PHASE_RUN] = 4, [PHASE_STOP] = 3, [PHASE_TEARDOWN] = 5,
	};

	return (uint8_t)(STYLE_PHASE_FIRST + colors[phase]);
}
