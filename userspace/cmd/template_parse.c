/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/template_internal.h"
#include "util/array.h"
#include "util/cleanup.h"

struct parser {
	struct scanner scanner;
	struct template *template;
	struct token token; /* the one that is looked at, of an action */
	const char *variables[TEMPLATE_VARIABLES_MAX];
	size_t variable_count;
	int depth, ranges;
};

static void *take(struct parser *p, size_t size)
{
	return memset(arena_take(&p->template->arena, size), 0, size);
}

static const char *keep_text(struct parser *p, const char *text, size_t length)
{
	char *copy = arena_take(&p->template->arena, length + 1);

	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

static int advance(struct parser *p, struct error *err)
{
	return scan_token(&p->scanner, &p->token, err);
}

static bool is_word(const struct token *t, const char *word)
{
	return t->kind == TOKEN_WORD && t->length == strlen(word) && !memcmp(t->text, word, t->length);
}

static int unexpected(const struct parser *p, const char *where, struct error *err)
{
	if (p->token.kind == TOKEN_CLOSE)
		return error_set(err, EINVAL, "template parsing error: missing value for %s", where);
	return error_set(err, EINVAL, "template parsing error: unexpected \"%.*s\" in %s", (int)p->token.length, p->token.text, where);
}

static int deeper(struct parser *p, struct error *err)
{
	return ++p->depth > TEMPLATE_DEPTH_MAX
		? error_set(err, EINVAL, "template parsing error: it is nested more than %d times", TEMPLATE_DEPTH_MAX) : 0;
}

/* ---- pipelines ---- */

static int parse_pipe(struct parser *p, const char *where, struct pipe **ret, struct error *err);

static bool is_variable(const struct parser *p, const char *name)
{
	for (size_t i = p->variable_count; i-- > 0;) {
		if (!strcmp(p->variables[i], name))
			return true;
	}
	return !strcmp(name, "$");
}

static int parse_word(struct parser *p, struct operand *o, struct error *err)
{
	o->name = keep_text(p, p->token.text, p->token.length);
	o->kind = OPERAND_LITERAL;
	if (!strcmp(o->name, "true") || !strcmp(o->name, "false")) {
		o->value = template_keep(p->template->literals, json_object_new_boolean(*o->name == 't'));
		return 0;
	}
	if (!strcmp(o->name, "nil"))
		return 0;
	o->kind = OPERAND_FUNCTION;
	if (template_has_function(o->name))
		return 0;
	if (template_lacks_function(o->name))
		return error_set(err, EINVAL, "template parsing error: Go's function \"%s\" is not supported", o->name);
	return error_set(err, EINVAL, "template parsing error: function \"%s\" not defined", o->name);
}

static int parse_literal(struct parser *p, struct operand *o, struct error *err)
{
	int r = scan_literal(&p->token, &o->value, err);

	o->kind = OPERAND_LITERAL;
	if (r == 0)
		template_keep(p->template->literals, o->value);
	return r;
}

static int parse_paren(struct parser *p, struct operand *o, struct error *err)
{
	struct pipe *inner;
	int r = deeper(p, err);

	if (r == 0)
		r = advance(p, err);
	if (r == 0)
		r = parse_pipe(p, "parenthesized pipeline", &inner, err);
	if (r < 0)
		return r;
	p->depth--;
	if (p->token.kind != TOKEN_CLOSE_PAREN)
		return error_set(err, EINVAL, "template parsing error: unclosed left paren");
	o->kind = OPERAND_PIPE;
	o->pipe = inner;
	return 0;
}

static int parse_first(struct parser *p, struct operand *o, const char *where, struct error *err)
{
	switch (p->token.kind) {
	case TOKEN_WORD:
		return parse_word(p, o, err);
	case TOKEN_STRING:
	case TOKEN_NUMBER:
		return parse_literal(p, o, err);
	case TOKEN_OPEN_PAREN:
		return parse_paren(p, o, err);
	case TOKEN_PATH:
		o->kind = OPERAND_DOT;
		o->fields = p->token.length > 1 ? keep_text(p, p->token.text, p->token.length) : "";
		return 0;
	case TOKEN_VARIABLE:
		o->kind = OPERAND_VARIABLE;
		o->name = keep_text(p, p->token.text, p->token.length);
		return is_variable(p, o->name)
			? 0 : error_set(err, EINVAL, "template parsing error: undefined variable \"%s\"", o->name);
	default:
		return unexpected(p, where, err);
	}
}

/* One operand with the fields behind it; then the next token is looked at. */
static int parse_operand(struct parser *p, const char *where, struct operand **ret, struct error *err)
{
	struct operand *o = take(p, sizeof(*o));
	int r;

	o->fields = "";
	r = parse_first(p, o, where, err);
	if (r == 0)
		r = advance(p, err);
	if (r == 0 && p->token.kind == TOKEN_PATH && !p->token.spaced && p->token.length > 1) {
		if (o->kind != OPERAND_VARIABLE && o->kind != OPERAND_PIPE)
			return unexpected(p, "operand", err);
		o->fields = keep_text(p, p->token.text, p->token.length);
		r = advance(p, err);
	}
	*ret = o;
	return r;
}

static bool ends_command(const struct parser *p)
{
	return p->token.kind == TOKEN_CLOSE || p->token.kind == TOKEN_CLOSE_PAREN || p->token.kind == TOKEN_PIPE;
}

static int parse_command(struct parser *p, const char *where, bool first, struct command **ret, struct error *err)
{
	struct command *c = take(p, sizeof(*c));
	struct operand **end = &c->operands;
	int r = 0;

	while (r == 0 && (!c->operands || !ends_command(p))) {
		if (c->operands && !p->token.spaced)
			return unexpected(p, "operand", err);
		r = parse_operand(p, where, end, err);
		end = r == 0 ? &(*end)->next : end;
	}
	if (r == 0 && !first && (c->operands->kind == OPERAND_LITERAL || c->operands->kind == OPERAND_PIPE))
		return error_set(err, EINVAL, "template parsing error: non executable command in a pipeline: only functions can follow |");
	*ret = c;
	return r;
}

static int declare(struct parser *p, const char *name, struct error *err)
{
	if (p->variable_count == TEMPLATE_VARIABLES_MAX)
		return error_set(err, EINVAL, "template parsing error: more than %d variables", TEMPLATE_VARIABLES_MAX);
	p->variables[p->variable_count++] = name;
	return 0;
}

/* "$a :=", "$a =", "$a, $b :=" before a pipeline. The scanner is set back where there is none. */
static int parse_declaration(struct parser *p, const char *where, struct pipe *ret, struct error *err)
{
	struct scanner back = p->scanner;
	struct token first = p->token;
	int r = 0;

	while (r == 0 && p->token.kind == TOKEN_VARIABLE && p->token.length > 1 && ret->variable_count < 2) {
		ret->variables[ret->variable_count++] = keep_text(p, p->token.text, p->token.length);
		r = advance(p, err);
		if (r < 0 || p->token.kind != TOKEN_COMMA)
			break;
		if (strcmp(where, "range") != 0)
			return error_set(err, EINVAL, "template parsing error: too many declarations in %s", where);
		r = advance(p, err);
	}
	if (r < 0)
		return r;
	ret->assigns = p->token.kind == TOKEN_ASSIGN;
	if (ret->variable_count && (ret->assigns || p->token.kind == TOKEN_DECLARE))
		return advance(p, err);
	if (ret->variable_count > 1)
		return unexpected(p, where, err);
	ret->variable_count = 0;
	p->scanner = back;
	p->token = first;
	return 0;
}

static int name_variables(struct parser *p, const struct pipe *pipe, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < pipe->variable_count; i++) {
		if (!pipe->assigns)
			r = declare(p, pipe->variables[i], err);
		else if (!is_variable(p, pipe->variables[i]))
			r = error_set(err, EINVAL, "template parsing error: undefined variable \"%s\"", pipe->variables[i]);
	}
	return r;
}

/* Ends at }} or ), which is looked at. */
static int parse_pipe(struct parser *p, const char *where, struct pipe **ret, struct error *err)
{
	struct pipe *pipe = take(p, sizeof(*pipe));
	struct command **end = &pipe->commands;
	int r = parse_declaration(p, where, pipe, err);

	while (r == 0) {
		r = parse_command(p, where, end == &pipe->commands, end, err);
		if (r < 0 || p->token.kind != TOKEN_PIPE)
			break;
		end = &(*end)->next;
		r = advance(p, err);
	}
	if (r == 0)
		r = name_variables(p, pipe, err);
	*ret = pipe;
	return r;
}

static int parse_whole_pipe(struct parser *p, const char *where, const struct pipe **ret, struct error *err)
{
	struct pipe *pipe;
	int r = parse_pipe(p, where, &pipe, err);

	if (r == 0 && p->token.kind != TOKEN_CLOSE)
		r = error_set(err, EINVAL, "template parsing error: unexpected right paren");
	*ret = pipe;
	return r;
}

/* ---- actions ---- */

enum end { END_OF_TEXT, END_END, END_ELSE };

static int parse_list(struct parser *p, struct node **ret, enum end *ret_end, struct error *err);

static int close_action(struct parser *p, const char *where, struct error *err)
{
	int r = advance(p, err);

	return r < 0 || p->token.kind == TOKEN_CLOSE ? r : unexpected(p, where, err);
}

static int parse_block(struct parser *p, enum node_kind kind, struct node *n, struct error *err);

/* Behind {{else: "}}", or " if" or " with" and what belongs to them, which ends with the same {{end}}. */
static int parse_else(struct parser *p, struct node *n, struct error *err)
{
	enum node_kind kind = is_word(&p->token, "if") ? NODE_IF : NODE_WITH;
	enum end end;
	int r;

	if (p->token.kind == TOKEN_CLOSE) {
		r = parse_list(p, &n->otherwise, &end, err);
		if (r == 0 && end != END_END)
			r = end == END_ELSE ? error_set(err, EINVAL, "template parsing error: unexpected {{else}}: expected end")
					    : error_set(err, EINVAL, "template parsing error: unexpected EOF: {{end}} is missing");
		return r;
	}
	if (n->kind == NODE_RANGE || (!is_word(&p->token, "if") && !is_word(&p->token, "with")))
		return unexpected(p, "else", err);
	n->otherwise = take(p, sizeof(*n->otherwise));
	return parse_block(p, kind, n->otherwise, err);
}

/* The word itself is looked at. */
static int parse_block(struct parser *p, enum node_kind kind, struct node *n, struct error *err)
{
	static const char *const names[] = { [NODE_IF] = "if", [NODE_WITH] = "with", [NODE_RANGE] = "range" };
	size_t variables = p->variable_count;
	enum end end = END_OF_TEXT;
	int r = deeper(p, err);

	n->kind = kind;
	if (r == 0)
		r = advance(p, err);
	if (r == 0)
		r = parse_whole_pipe(p, names[kind], &n->pipe, err);
	p->ranges += kind == NODE_RANGE;
	if (r == 0)
		r = parse_list(p, &n->body, &end, err);
	p->ranges -= kind == NODE_RANGE;
	if (r == 0 && end == END_OF_TEXT)
		r = error_set(err, EINVAL, "template parsing error: unexpected EOF: {{end}} is missing");
	if (r == 0 && end == END_ELSE)
		r = parse_else(p, n, err);
	p->variable_count = variables;
	p->depth--;
	return r;
}

static int parse_jump(struct parser *p, struct node *n, struct error *err)
{
	n->kind = is_word(&p->token, "break") ? NODE_BREAK : NODE_CONTINUE;
	if (!p->ranges)
		return error_set(err, EINVAL, "template parsing error: {{%.*s}} outside {{range}}", (int)p->token.length, p->token.text);
	return close_action(p, "break", err);
}

/* *ret_end: the action was {{end}} or {{else: then n is nothing. */
static int parse_action(struct parser *p, struct node *n, enum end *ret_end, struct error *err)
{
	static const char *const lacks[] = { "template", "define", "block" };
	int r = advance(p, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(lacks); i++) {
		if (is_word(&p->token, lacks[i]))
			return error_set(err, EINVAL, "template parsing error: Go's {{%s}} is not supported", lacks[i]);
	}
	if (is_word(&p->token, "if"))
		return parse_block(p, NODE_IF, n, err);
	if (is_word(&p->token, "with"))
		return parse_block(p, NODE_WITH, n, err);
	if (is_word(&p->token, "range"))
		return parse_block(p, NODE_RANGE, n, err);
	if (is_word(&p->token, "break") || is_word(&p->token, "continue"))
		return parse_jump(p, n, err);
	if (is_word(&p->token, "end")) {
		*ret_end = END_END;
		return close_action(p, "end", err);
	}
	if (is_word(&p->token, "else")) {
		*ret_end = END_ELSE;
		return advance(p, err);
	}
	n->kind = NODE_PIPE;
	return parse_whole_pipe(p, "command", &n->pipe, err);
}

static int parse_list(struct parser *p, struct node **ret, enum end *ret_end, struct error *err)
{
	int r = 0;

	*ret_end = END_OF_TEXT;
	while (r == 0 && *ret_end == END_OF_TEXT) {
		_cleanup_(strbuf_free) struct strbuf text = { 0 };
		bool action = scan_text(&p->scanner, &text, err, &r);
		struct node *n;

		if (text.length) {
			n = *ret = take(p, sizeof(*n));
			n->text = keep_text(p, text.text, text.length);
			ret = &n->next;
		}
		if (!action)
			break;
		n = take(p, sizeof(*n));
		r = parse_action(p, n, ret_end, err);
		if (r < 0 || *ret_end != END_OF_TEXT)
			break;
		*ret = n;
		ret = &n->next;
	}
	return r;
}

int template_parse(const char *text, struct template *ret, struct error *err)
{
	struct parser p = { .scanner = { .at = text }, .template = ret };
	enum end end;
	int r;

	*ret = (struct template){ .literals = json_object_new_array() };
	r = parse_list(&p, &ret->nodes, &end, err);
	if (r == 0 && end != END_OF_TEXT)
		r = error_set(err, EINVAL, "template parsing error: unexpected {{%s}}", end == END_END ? "end" : "else");
	return r;
}

void template_free(struct template *t)
{
	arena_free(&t->arena);
	json_object_put(t->literals);
}
