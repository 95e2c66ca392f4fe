/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporters/filter_internal.h"
#include "exporters/json.h"
#include "util/array.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

enum { MAX_TERMS = 32, MAX_VALUES = 64, MAX_WORD = 40 /* of what is quoted in an error */ };

static const struct {
	const char *name;
	enum filter_field field;
	enum filter_type type;
} fields[] = {
	{ "cont", FILTER_CONT, FILTER_TEXT },
	{ "id", FILTER_ID, FILTER_TEXT },
	{ "name", FILTER_NAME, FILTER_TEXT },
	{ "image", FILTER_IMAGE, FILTER_TEXT },
	{ "engine", FILTER_ENGINE, FILTER_TEXT },
	{ "runtime", FILTER_RUNTIME, FILTER_TEXT },
	{ "state", FILTER_STATE, FILTER_TEXT },
	{ "pod", FILTER_POD, FILTER_TEXT },
	{ "exit", FILTER_EXIT, FILTER_NUMBER },
	{ "signal", FILTER_SIGNAL, FILTER_NUMBER },
	{ "oom", FILTER_OOM, FILTER_BOOL },
	{ "start", FILTER_START, FILTER_TIME },
	{ "lost", FILTER_LOST, FILTER_NUMBER },
	{ "type", FILTER_TYPE, FILTER_TEXT },
	{ "kind", FILTER_TYPE, FILTER_TEXT },
	{ "phase", FILTER_PHASE, FILTER_TEXT },
	{ "actor", FILTER_ACTOR, FILTER_TEXT },
	{ "comm", FILTER_COMM, FILTER_TEXT },
	{ "pid", FILTER_PID, FILTER_NUMBER },
	{ "result", FILTER_RESULT, FILTER_NUMBER },
	{ "error", FILTER_ERROR, FILTER_TEXT },
	{ "dur", FILTER_DUR, FILTER_TIME },
	{ "at", FILTER_AT, FILTER_TIME },
	{ "detail", FILTER_DETAIL, FILTER_TEXT },
};

static const char field_names[] = "cont, id, name, image, engine, runtime, state, pod, exit, signal, oom, start, lost, "
	"type, kind, phase, actor, comm, pid, result, error, dur, at, detail";

struct parser {
	const char *text, *at;
	size_t *ret_column;
	struct error *err;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* Characters before a place, plus 1: what an editor calls its column. */
static size_t column_of(const struct parser *p, const char *place)
{
	size_t column = 1;

	for (const char *c = p->text; c < place; c++)
		column += ((unsigned char)*c & 0xc0) != 0x80;
	return column;
}

static int fail(const struct parser *p, const char *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(const struct parser *p, const char *place, const char *format, ...)
{
	size_t column = column_of(p, place);
	struct strbuf sb = { 0 };
	char what[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	strbuf_escape(&sb, what, strlen(what));
	if (p->ret_column)
		*p->ret_column = column;
	error_set(p->err, EINVAL, "column %zu: %s", column, sb.text);
	strbuf_free(&sb);
	return -EINVAL;
}

/* ---- values ---- */

/* A word up to a blank or a comma, with quotes and backslashes taken away. */
static int read_word(struct parser *p, struct strbuf *sb, bool *ret_quoted)
{
	const char *begin = p->at;
	char quote = 0;

	for (; *p->at; p->at++) {
		char c = *p->at;

		if (c == '\\' && p->at[1] && quote != '\'') {
			strbuf_putc(sb, *++p->at);
		} else if (quote ? c == quote : c == '"' || c == '\'') {
			begin = quote ? begin : p->at;
			quote = quote ? 0 : c;
			*ret_quoted = true;
		} else if (!quote && (is_blank(c) || c == ',')) {
			break;
		} else {
			strbuf_putc(sb, c);
		}
	}
	if (quote)
		return fail(p, begin, "the quote %c is not closed", quote);
	return 0;
}

static int parse_integer(const struct parser *p, const char *place, const char *text, int64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoll(text, &end, 10);
	if (end == text || *end || errno)
		return fail(p, place, "\"%.*s\" is not a whole number", MAX_WORD, text);
	return 0;
}

static int parse_time(const struct parser *p, const char *place, const char *text, int64_t *ret)
{
	static const struct { const char *name; double ns; } units[] = { { "ns", 1 }, { "us", 1e3 }, { "µs", 1e3 },
		{ "ms", 1e6 }, { "s", 1e9 }, { "m", 60e9 }, { "h", 3600e9 } };
	size_t digits = strspn(text, "0123456789."); /* not what else strtod reads: inf, 0x1p3 */
	char number[32], *end = number;
	double value = 0;

	if (digits && digits < sizeof(number)) {
		memcpy(number, text, digits);
		number[digits] = '\0';
		value = strtod(number, &end);
	}
	if (end == number || *end)
		return fail(p, place, "\"%.*s\" is not a time such as 50ms", MAX_WORD, text);
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(text + digits, units[i].name) != 0)
			continue;
		if (value * units[i].ns >= 9e18)
			return fail(p, place, "\"%.*s\" is too long a time", MAX_WORD, text);
		*ret = (int64_t)(value * units[i].ns + 0.5);
		return 0;
	}
	return fail(p, place, "\"%.*s\" needs a unit: ns, us, ms, s, m or h", MAX_WORD, text);
}

static int parse_bool(const struct parser *p, const char *place, const char *text, int64_t *ret)
{
	static const char *const no[] = { "no", "false", "0" }, *const yes[] = { "yes", "true", "1" };

	for (size_t i = 0; i < ARRAY_SIZE(no); i++) {
		if (!strcmp(text, no[i]) || !strcmp(text, yes[i])) {
			*ret = !strcmp(text, yes[i]);
			return 0;
		}
	}
	return fail(p, place, "\"%.*s\" is neither yes nor no", MAX_WORD, text);
}

/* "SIGKILL", "KILL" or 9. */
static int parse_signal(const struct parser *p, const char *place, const char *text, int64_t *ret)
{
	const char *name = str_starts(text, "SIG") ? text + 3 : text;

	for (int i = 1; i < NSIG; i++) {
		if (sigabbrev_np(i) && !strcmp(sigabbrev_np(i), name)) {
			*ret = i;
			return 0;
		}
	}
	if (strspn(text, "0123456789") == strlen(text))
		return parse_integer(p, place, text, ret);
	return fail(p, place, "\"%.*s\" is not a signal", MAX_WORD, text);
}

/* ---- words of which there is a list: a wrong one is a mistake, not a filter that passes nothing ---- */

static const char *state_word(unsigned int i)
{
	return i <= STATE_EXITED ? container_state_name((enum container_state)i) : NULL;
}

static const char *phase_word(unsigned int i)
{
	return i < PHASE_COUNT ? phase_name((enum phase)i) : NULL;
}

static int check_word(const struct parser *p, const char *place, const char *text, const char *what,
	const char *(*word)(unsigned int))
{
	struct strbuf all = { 0 };
	int r = 0;

	for (unsigned int i = 0; word(i); i++) {
		if (!strcmp(word(i), text)) {
			strbuf_free(&all);
			return 0;
		}
		strbuf_printf(&all, "%s%s", i ? ", " : "", word(i));
	}
	r = fail(p, place, "\"%.*s\" is no %s; there are %s", MAX_WORD, text, what, all.text);
	strbuf_free(&all);
	return r;
}

static bool is_type(const char *word)
{
	for (int i = 0; i < STEP_KIND_COUNT; i++) {
		if (filter_type_is(word, step_kind_name((enum step_kind)i)))
			return true;
	}
	for (int i = 0; i < MARK_KIND_COUNT; i++) {
		if (filter_type_is(word, mark_kind_name((enum mark_kind)i)))
			return true;
	}
	for (unsigned int i = 0; i < 512; i++) {
		if (strcmp(json_event_kind_name(i), "unknown") != 0 && filter_type_is(word, json_event_kind_name(i)))
			return true;
	}
	for (unsigned int i = 0; i < OP_MAX; i++) {
		if (strcmp(json_event_op_name(i), "unknown") != 0 && filter_type_is(word, json_event_op_name(i)))
			return true;
	}
	return false;
}

static int check_text(const struct parser *p, const char *place, const struct filter_term *term, const char *text)
{
	if (term->operator > FILTER_NOT_EQUAL)
		return 0;
	if (term->field == FILTER_STATE)
		return check_word(p, place, text, "state", state_word);
	if (term->field == FILTER_PHASE)
		return check_word(p, place, text, "phase", phase_word);
	if (term->field == FILTER_TYPE && !is_type(text))
		return fail(p, place, "\"%.*s\" is no type; there are oom, exit, signal, mount, cgroup_write, clone, exec "
			"and the other kinds of JSON_SCHEMA.md", MAX_WORD, text);
	return 0;
}

static int parse_value(struct parser *p, struct filter_term *term)
{
	_cleanup_(strbuf_free) struct strbuf sb = { 0 };
	const char *place = p->at;
	struct filter_value value = { 0 };
	bool quoted = false;
	int r = read_word(p, &sb, &quoted);

	if (r < 0)
		return r;
	if (!sb.length && !quoted)
		return fail(p, place, "a value is missing");
	if (term->value_count == MAX_VALUES)
		return fail(p, place, "more than %d values", MAX_VALUES);
	value.text = strbuf_steal(&sb);
	value.unknown = !quoted && !strcmp(value.text, "-") && term->operator <= FILTER_NOT_EQUAL;
	array_grow(term->values, term->value_count, term->value_capacity);
	term->values[term->value_count] = value; /* from here on the filter owns the text */
	if (!value.unknown && term->type == FILTER_TIME)
		r = parse_time(p, place, value.text, &value.number);
	else if (!value.unknown && term->type == FILTER_BOOL)
		r = parse_bool(p, place, value.text, &value.number);
	else if (!value.unknown && term->field == FILTER_SIGNAL)
		r = parse_signal(p, place, value.text, &value.number);
	else if (!value.unknown && term->type == FILTER_NUMBER)
		r = parse_integer(p, place, value.text, &value.number);
	else if (!value.unknown)
		r = check_text(p, place, term, value.text);
	term->values[term->value_count++].number = value.number;
	return r;
}

static int parse_values(struct parser *p, struct filter_term *term)
{
	int r = parse_value(p, term);

	while (r >= 0 && *p->at == ',') {
		if (term->operator >= FILTER_MORE)
			return fail(p, p->at, "> and < take one value");
		p->at++;
		r = parse_value(p, term);
	}
	return r;
}

/* ---- terms ---- */

static int parse_field(struct parser *p, struct filter_term *term)
{
	size_t n = strcspn(p->at, "=!~<> \t\n,\"'");

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (strlen(fields[i].name) == n && !strncasecmp(fields[i].name, p->at, n)) {
			term->field = fields[i].field;
			term->type = fields[i].type;
			p->at += n;
			return 0;
		}
	}
	if (!n)
		return fail(p, p->at, "the name of a field must stand here: %s", field_names);
	if (!strchr("=!~<>", p->at[n]) || !p->at[n])
		return fail(p, p->at, "\"%.*s\" is no term; as part of a container's name: cont~%.*s",
			(int)(n < MAX_WORD ? n : MAX_WORD), p->at, (int)(n < MAX_WORD ? n : MAX_WORD), p->at);
	return fail(p, p->at, "there is no field \"%.*s\"; there are %s", (int)(n < MAX_WORD ? n : MAX_WORD), p->at,
		field_names);
}

static int parse_operator(struct parser *p, struct filter_term *term)
{
	static const struct { const char *text; enum filter_operator operator; } operators[] = {
		{ "!=", FILTER_NOT_EQUAL }, { "!~", FILTER_CONTAINS_NOT }, { ">=", FILTER_MORE_EQUAL },
		{ "<=", FILTER_LESS_EQUAL }, { "=", FILTER_EQUAL }, { "~", FILTER_CONTAINS }, { ">", FILTER_MORE },
		{ "<", FILTER_LESS } };

	for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
		if (!str_starts(p->at, operators[i].text))
			continue;
		term->operator = operators[i].operator;
		if (term->type == FILTER_TEXT && term->operator >= FILTER_MORE)
			return fail(p, p->at, "this field is a text: it has =, !=, ~ and !~");
		if (term->type == FILTER_BOOL && term->operator > FILTER_NOT_EQUAL)
			return fail(p, p->at, "this field is yes or no: it has = and !=");
		if (term->type != FILTER_TEXT &&
			(term->operator == FILTER_CONTAINS || term->operator == FILTER_CONTAINS_NOT))
			return fail(p, p->at, "this field is a number: it has =, !=, >, >=, < and <=");
		p->at += strlen(operators[i].text);
		return 0;
	}
	return fail(p, p->at, "an operator must stand here: = != ~ !~ > >= < <=");
}

static int parse_term(struct parser *p, struct filter *f)
{
	struct filter_term *term;
	int r;

	if (f->term_count == MAX_TERMS)
		return fail(p, p->at, "more than %d terms", MAX_TERMS);
	array_grow(f->terms, f->term_count, f->term_capacity);
	term = &f->terms[f->term_count++];
	*term = (struct filter_term){ 0 };
	r = parse_field(p, term);
	if (r >= 0)
		r = parse_operator(p, term);
	return r < 0 ? r : parse_values(p, term);
}

int filter_parse(const char *text, struct filter **ret_filter, size_t *ret_column, struct error *err)
{
	struct parser p = { text, text, ret_column, err };
	struct filter *f;
	int r = 0;

	if (strlen(text) > FILTER_MAX)
		return fail(&p, text + FILTER_MAX, "a filter has at most %d bytes", FILTER_MAX);
	f = xcalloc(1, sizeof(*f));
	for (;;) {
		while (is_blank(*p.at))
			p.at++;
		if (!*p.at)
			break;
		r = parse_term(&p, f);
		if (r < 0)
			break;
	}
	if (r < 0) {
		filter_free(f);
		return r;
	}
	*ret_filter = f;
	return 0;
}

void filter_free(struct filter *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->term_count; i++) {
		for (size_t k = 0; k < f->terms[i].value_count; k++)
			free(f->terms[i].values[k].text);
		free(f->terms[i].values);
	}
	free(f->terms);
	free(f);
}

struct filter *filter_items_only(const struct filter *f)
{
	struct filter *items;

	if (!filter_has_items(f))
		return NULL;
	items = xcalloc(1, sizeof(*items));
	for (size_t i = 0; i < f->term_count; i++) {
		const struct filter_term *from = &f->terms[i];
		struct filter_term term = *from;

		if (from->field < FILTER_FIRST_ITEM)
			continue;
		term.values = xcalloc(from->value_count, sizeof(*term.values));
		term.value_capacity = from->value_count;
		for (size_t k = 0; k < from->value_count; k++) {
			term.values[k] = from->values[k];
			term.values[k].text = xstrdup(from->values[k].text);
		}
		array_grow(items->terms, items->term_count, items->term_capacity);
		items->terms[items->term_count++] = term;
	}
	return items;
}
