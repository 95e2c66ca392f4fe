/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/template.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/template_internal.h"
#include "exporters/json_repair.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { ARGUMENTS_MAX = 16, JUMP_BREAK = 1, JUMP_CONTINUE };

struct execution {
	const struct template_row *row;
	json_object *kept; /* what was made on the way */
	struct {
		const char *name;
		json_object *value;
	} variables[2 * TEMPLATE_VARIABLES_MAX];
	size_t variable_count;
	struct strbuf *out;
};

/* ---- printing ---- */

void template_json(struct strbuf *out, json_object *o, int flags)
{
	size_t length;
	const char *text = json_object_to_json_string_length(o, flags | JSON_C_TO_STRING_NOSLASHESCAPE, &length);

	json_add_repaired(out, text, length);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In order, as Go goes through a map; the caller's. */
static const char **sorted_keys(json_object *o)
{
	const char **keys = xcalloc((size_t)json_object_object_length(o) + 1, sizeof(*keys));
	size_t n = 0;

	json_object_object_foreach(o, key, value) {
		(void)value;
		keys[n++] = key;
	}
	qsort(keys, n, sizeof(*keys), by_name);
	return keys;
}

static void put_map(struct strbuf *out, json_object *o)
{
	_cleanup_free_ const char **keys = sorted_keys(o);

	strbuf_puts(out, "map[");
	for (const char **key = keys; *key; key++) {
		strbuf_printf(out, "%s%s:", key == keys ? "" : " ", *key);
		template_put_value(out, json_object_object_get(o, *key));
	}
	strbuf_putc(out, ']');
}

void template_put_value(struct strbuf *out, json_object *value)
{
	if (json_object_is_type(value, json_type_object)) {
		put_map(out, value);
	} else if (json_object_is_type(value, json_type_array)) {
		strbuf_putc(out, '[');
		for (size_t i = 0; i < json_object_array_length(value); i++) {
			strbuf_puts(out, i ? " " : "");
			template_put_value(out, json_object_array_get_idx(value, i));
		}
		strbuf_putc(out, ']');
	} else {
		strbuf_puts(out, value ? json_object_get_string(value) : "<nil>");
	}
}

/* ---- values ---- */

static int eval_pipe(struct execution *x, const struct pipe *pipe, json_object *dot, json_object **ret, struct error *err);

/* ".A.B" from o. */
static int follow(const char *path, json_object *o, json_object **ret, struct error *err)
{
	_cleanup_free_ char *copy = xstrdup(*path ? path + 1 : "");
	char *rest = *copy ? copy : NULL, *name;

	*ret = o;
	while ((name = strsep(&rest, "."))) {
		if (!*ret)
			return error_set(err, ENOENT, "template: nil pointer evaluating %s in %s", name, path);
		if (!json_object_is_type(*ret, json_type_object) || !json_object_object_get_ex(*ret, name, ret))
			return error_set(err, ENOENT, "template: can't evaluate field %s in %s", name, path);
	}
	return 0;
}

static json_object *variable(const struct execution *x, const char *name)
{
	for (size_t i = x->variable_count; i-- > 0;) {
		if (!strcmp(x->variables[i].name, name))
			return x->variables[i].value;
	}
	return x->row->row; /* "$" */
}

static int eval_operand(struct execution *x, const struct operand *o, json_object *dot, json_object **ret, struct error *err)
{
	json_object *value = dot;
	int r = 0;

	if (o->kind == OPERAND_LITERAL) {
		*ret = o->value;
		return 0;
	}
	if (o->kind == OPERAND_VARIABLE)
		value = variable(x, o->name);
	else if (o->kind == OPERAND_PIPE)
		r = eval_pipe(x, o->pipe, dot, &value, err);
	else if (o->kind == OPERAND_FUNCTION) { /* as an argument it has none of its own */
		struct call c = { .name = o->name, .kept = x->kept, .heading = x->row->heading };

		r = template_call(&c, &value, err);
	}
	return r < 0 ? r : follow(o->fields, value, ret, err);
}

/* .Label "KEY", the only method that rows have. */
static bool is_label(const struct execution *x, const struct operand *o, json_object *dot)
{
	json_object *base = o->kind == OPERAND_VARIABLE ? variable(x, o->name) : dot;

	return x->row->labels && (o->kind == OPERAND_DOT || o->kind == OPERAND_VARIABLE) && base == x->row->row && !strcmp(o->fields, ".Label");
}

/* Its last word, with blanks: "com.example.my-name" is "my name", docker's way. */
static json_object *label_heading(const char *key)
{
	const char *dot = strrchr(key, '.');
	_cleanup_free_ char *title = xstrdup(dot ? dot + 1 : key);

	for (char *c = title; *c; c++)
		*c = *c == '-' || *c == '_' ? ' ' : *c;
	return json_object_new_string(title);
}

static int eval_label(struct execution *x, json_object **arguments, size_t count, json_object **ret, struct error *err)
{
	const char *key = count == 1 ? json_object_get_string(arguments[0]) : NULL;
	json_object *value = NULL;

	if (!key || !json_object_is_type(arguments[0], json_type_string))
		return error_set(err, EINVAL, "template: .Label wants one argument, the name of a label: {{.Label \"com.example.name\"}}");
	if (x->row->heading)
		value = label_heading(key);
	else if (!json_object_object_get_ex(x->row->labels, key, &value))
		value = json_object_new_string("");
	else
		json_object_get(value);
	*ret = template_keep(x->kept, value);
	return 0;
}

/* and, or: the first argument that decides; what follows is not looked at. */
static int eval_logic(struct execution *x, const struct command *c, json_object *dot, json_object **last, json_object **ret,
	struct error *err)
{
	bool until = *c->operands->name == 'o';
	const struct operand *o = c->operands->next;
	int r = 0;

	if (!o && !last)
		return error_set(err, EINVAL, "template: wrong number of args for %s: want at least 1 got 0", c->operands->name);
	for (; o; o = o->next) {
		r = eval_operand(x, o, dot, ret, err);
		if (r < 0 || template_is_true(*ret) == until)
			return r;
	}
	if (last)
		*ret = *last;
	return 0;
}

/* last: the value that a | hands to it, or NULL. */
static int eval_command(struct execution *x, const struct command *c, json_object *dot, json_object **last, json_object **ret,
	struct error *err)
{
	const struct operand *first = c->operands;
	json_object *arguments[ARGUMENTS_MAX];
	size_t count = 0;
	int r = 0;

	if (first->kind == OPERAND_FUNCTION && (!strcmp(first->name, "and") || !strcmp(first->name, "or")))
		return eval_logic(x, c, dot, last, ret, err);
	for (const struct operand *o = first->next; r == 0 && o; o = o->next) {
		if (count == ARGUMENTS_MAX - 1)
			return error_set(err, EINVAL, "template: more than %d arguments", ARGUMENTS_MAX - 1);
		r = eval_operand(x, o, dot, &arguments[count++], err);
	}
	if (r < 0)
		return r;
	if (last)
		arguments[count++] = *last;
	if (is_label(x, first, dot))
		return eval_label(x, arguments, count, ret, err);
	if (first->kind == OPERAND_FUNCTION) {
		struct call call = { first->name, arguments, count, x->row->heading, x->kept };

		return template_call(&call, ret, err);
	}
	if (count)
		return error_set(err, EINVAL, "template: can't give argument to non-function %s%s",
			first->kind == OPERAND_VARIABLE ? first->name : "", *first->fields ? first->fields : first->kind == OPERAND_DOT ? "." : "");
	return eval_operand(x, first, dot, ret, err);
}

static int set_variable(struct execution *x, const char *name, json_object *value, bool assigns, struct error *err)
{
	for (size_t i = x->variable_count; assigns && i-- > 0;) {
		if (!strcmp(x->variables[i].name, name)) {
			x->variables[i].value = value;
			return 0;
		}
	}
	if (x->variable_count == ARRAY_SIZE(x->variables))
		return error_set(err, EINVAL, "template: too many variables");
	x->variables[x->variable_count].name = name;
	x->variables[x->variable_count++].value = value;
	return 0;
}

static int eval_commands(struct execution *x, const struct pipe *pipe, json_object *dot, json_object **ret, struct error *err)
{
	json_object *value = NULL;
	int r = 0;

	for (const struct command *c = pipe->commands; r == 0 && c; c = c->next) {
		json_object *last = value;

		r = eval_command(x, c, dot, c == pipe->commands ? NULL : &last, &value, err);
	}
	*ret = value;
	return r;
}

static int eval_pipe(struct execution *x, const struct pipe *pipe, json_object *dot, json_object **ret, struct error *err)
{
	int r = eval_commands(x, pipe, dot, ret, err);

	if (r == 0 && pipe->variable_count)
		r = set_variable(x, pipe->variables[0], *ret, pipe->assigns, err);
	return r;
}

/* ---- blocks: 0, an error, or JUMP_BREAK and JUMP_CONTINUE, which end the round of a range ---- */

static int run_list(struct execution *x, const struct node *n, json_object *dot, struct error *err);

static int run_round(struct execution *x, const struct node *n, json_object *key, json_object *element, struct error *err)
{
	size_t variables = x->variable_count;
	const struct pipe *p = n->pipe;
	int r = 0;

	if (p->variable_count)
		r = set_variable(x, p->variables[p->variable_count - 1], element, p->assigns, err);
	if (r == 0 && p->variable_count > 1)
		r = set_variable(x, p->variables[0], key, p->assigns, err);
	if (r == 0)
		r = run_list(x, n->body, element, err);
	x->variable_count = variables;
	return r == JUMP_CONTINUE ? 0 : r;
}

static int range_over_object(struct execution *x, const struct node *n, json_object *o, struct error *err)
{
	_cleanup_free_ const char **keys = sorted_keys(o);
	int r = 0;

	for (const char **key = keys; r == 0 && *key; key++)
		r = run_round(x, n, template_keep(x->kept, json_object_new_string(*key)), json_object_object_get(o, *key), err);
	return r;
}

static int range_over_array(struct execution *x, const struct node *n, json_object *o, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < json_object_array_length(o); i++)
		r = run_round(x, n, template_keep(x->kept, json_object_new_int64((int64_t)i)), json_object_array_get_idx(o, i), err);
	return r;
}

static int run_range(struct execution *x, const struct node *n, json_object *dot, struct error *err)
{
	json_object *value;
	int r = eval_commands(x, n->pipe, dot, &value, err);
	bool object = json_object_is_type(value, json_type_object);

	if (r < 0)
		return r;
	if (value && !object && !json_object_is_type(value, json_type_array))
		return error_set(err, EDOM, "template: range can't iterate over %s", json_object_get_string(value));
	if (!template_is_true(value))
		return run_list(x, n->otherwise, dot, err);
	r = object ? range_over_object(x, n, value, err) : range_over_array(x, n, value, err);
	return r == JUMP_BREAK ? 0 : r;
}

static int run_condition(struct execution *x, const struct node *n, json_object *dot, struct error *err)
{
	size_t variables = x->variable_count;
	json_object *value;
	int r = eval_pipe(x, n->pipe, dot, &value, err);

	if (r == 0)
		r = template_is_true(value) ? run_list(x, n->body, n->kind == NODE_WITH ? value : dot, err) : run_list(x, n->otherwise, dot, err);
	x->variable_count = variables;
	return r;
}

static int run_pipe(struct execution *x, const struct node *n, json_object *dot, struct error *err)
{
	json_object *value;
	int r = eval_pipe(x, n->pipe, dot, &value, err);

	if (r < 0 || n->pipe->variable_count)
		return r;
	if (value)
		template_put_value(x->out, value);
	else
		strbuf_puts(x->out, "<no value>");
	return 0;
}

static int run_list(struct execution *x, const struct node *n, json_object *dot, struct error *err)
{
	int r = 0;

	for (; r == 0 && n; n = n->next) {
		switch (n->kind) {
		case NODE_TEXT: strbuf_puts(x->out, n->text); break;
		case NODE_PIPE: r = run_pipe(x, n, dot, err); break;
		case NODE_IF:
		case NODE_WITH: r = run_condition(x, n, dot, err); break;
		case NODE_RANGE: r = run_range(x, n, dot, err); break;
		case NODE_BREAK: r = JUMP_BREAK; break;
		case NODE_CONTINUE: r = JUMP_CONTINUE; break;
		}
	}
	return r;
}

int template_print_row(const char *text, const struct template_row *row, struct strbuf *out, struct error *err)
{
	_cleanup_(template_free) struct template t = { 0 };
	struct execution x = { .row = row, .out = out };
	int r = template_parse(text, &t, err);

	if (r < 0)
		return r;
	x.kept = json_object_new_array();
	r = run_list(&x, t.nodes, row->row, err);
	json_object_put(x.kept);
	return r;
}

int template_print(const char *text, json_object *o, struct strbuf *out, struct error *err)
{
	return template_print_row(text, &(struct template_row){ .row = o }, out, err);
}
