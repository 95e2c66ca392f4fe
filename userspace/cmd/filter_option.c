/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/filter_option.h"

#include <string.h>

#include "exporters/filter.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

/* The text on one line, each character as wide as one: so that the column is where the terminal shows it. */
static void add_line(struct strbuf *sb, const char *text)
{
	size_t length = strlen(text), n;

	for (size_t i = 0; i < length; i += n) {
		unsigned char c = (unsigned char)text[i];

		n = utf8_sequence(text + i, length - i);
		if (n == 0 || c < 0x20 || c == 0x7f || (n == 2 && c == 0xc2))
			strbuf_putc(sb, ' ');
		else
			strbuf_add(sb, text + i, n);
		n = n ? n : 1;
	}
}

void filter_option_check(struct argp_state *state, const char *text)
{
	_cleanup_(strbuf_free) struct strbuf line = { 0 };
	struct filter *f = NULL;
	struct error err = { 0 };
	size_t column = 1;

	if (filter_parse(text, &f, &column, &err) >= 0) {
		filter_free(f);
		return;
	}
	add_line(&line, text);
	argp_error(state, "--filter: %s\n    %s\n    %*s^", err.text, line.text ? line.text : "", (int)column - 1, "");
}
