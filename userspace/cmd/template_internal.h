/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTRACE_TEMPLATE_INTERNAL_H
#define CTRACE_TEMPLATE_INTERNAL_H

/* What the parts of the templates share: the tokens, the tree, and what functions are called with. The words are those
 * of Go's text/template. */

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "util/arena.h"
#include "util/error.h"
#include "util/strbuf.h"

enum { TEMPLATE_DEPTH_MAX = 100, TEMPLATE_VARIABLES_MAX = 64 };

/* ---- tokens (template_scan.c) ---- */

enum token_kind {
	TOKEN_CLOSE,    /* "}}" */
	TOKEN_WORD,     /* "range", "len", "true" */
	TOKEN_PATH,     /* ".", ".A.B" */
	TOKEN_VARIABLE, /* "$", "$x" */
	TOKEN_STRING, TOKEN_NUMBER,
	TOKEN_OPEN_PAREN, TOKEN_CLOSE_PAREN, TOKEN_PIPE, TOKEN_COMMA, TOKEN_DECLARE, TOKEN_ASSIGN,
};

struct token {
	enum token_kind kind;
	const char *text; /* in the template */
	size_t length;
	bool spaced; /* a blank stands before it */
};

struct scanner {
	const char *at;
	bool trims; /* "-}}" came last: blanks of the text that follows go */
};

/* The text before the next action, or all that is left; true: an action begins there. */
bool scan_text(struct scanner *s, struct strbuf *out, struct error *err, int *ret);
int scan_token(struct scanner *s, struct token *ret, struct error *err);
/* What a string or number stands for; the caller's. */
int scan_literal(const struct token *t, json_object **ret, struct error *err);

/* ---- the tree (template_parse.c) ---- */

enum operand_kind { OPERAND_LITERAL, OPERAND_DOT, OPERAND_VARIABLE, OPERAND_FUNCTION, OPERAND_PIPE };

struct operand {
	enum operand_kind kind;
	const char *name;   /* of a variable ("$x") or a function */
	const char *fields; /* ".A.B" of it, or "" */
	json_object *value; /* of a literal; NULL = nil */
	const struct pipe *pipe;
	struct operand *next;
};

struct command {
	struct operand *operands;
	struct command *next;
};

/* [$a[, $b] :=] COMMAND [| COMMAND...] */
struct pipe {
	const char *variables[2];
	size_t variable_count;
	bool assigns; /* to a variable that is there: "=" */
	struct command *commands;
};

enum node_kind { NODE_TEXT, NODE_PIPE, NODE_IF, NODE_WITH, NODE_RANGE, NODE_BREAK, NODE_CONTINUE };

struct node {
	enum node_kind kind;
	const char *text;
	const struct pipe *pipe;
	struct node *body, *otherwise;
	struct node *next;
};

struct template {
	struct arena arena;
	json_object *literals; /* an array that keeps them */
	struct node *nodes;
};

int template_parse(const char *text, struct template *ret, struct error *err);
void template_free(struct template *t); /* also fit for _cleanup_ */

/* ---- functions (template_functions.c) ---- */

struct call {
	const char *name;
	json_object **arguments; /* NULL = nil */
	size_t count;
	bool heading; /* of a table: docker's functions leave the titles as they are */
	json_object *kept; /* an array: what is made goes there, and is freed with it */
};

/* Go's or docker's. */
bool template_has_function(const char *name);
/* One of Go's that is not here. */
bool template_lacks_function(const char *name);
int template_call(struct call *c, json_object **ret, struct error *err);
/* Puts it under the keeping of the call. */
json_object *template_keep(json_object *kept, json_object *value);
bool template_is_true(json_object *value);
const char *template_type(json_object *value); /* "string", "int", "nil"... */
/* As Go prints it with %v. */
void template_put_value(struct strbuf *out, json_object *value);

#endif
