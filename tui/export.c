/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/export.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exporters/waterfall.h"
#include "tui/view.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { EXPORT_COLUMNS = 160 };

void export_default_name(struct ui *ui, struct model *m, char *ret_name, size_t size)
{
	const struct container *c = ui->view == VIEW_TIMELINE ? ui_container(ui, m) : NULL;
	char label[32] = "";

	/* of a hostile name only what is harmless in a file's name */
	for (size_t i = 0, n = 0; c && n + 1 < sizeof(label); i++) {
		char byte = (c->name && *c->name ? c->name : c->id)[i];

		if (!byte || i >= 12)
			break;
		label[n++] = isalnum((unsigned char)byte) ? byte : '_';
	}
	snprintf(ret_name, size, "ctrace-%s%s%s.txt", view_name(ui->view), *label ? "-" : "", label);
}

static void write_text(struct ui *ui, struct model *m, struct strbuf *sb)
{
	struct waterfall_options options = { .detail = WATERFALL_FULL, .width = EXPORT_COLUMNS, .utf8 = ui->utf8 };
	const struct container *c = ui->view == VIEW_TIMELINE ? ui_container(ui, m) : NULL;
	struct screen *s;

	if (c) {
		waterfall_print(sb, c, &options);
		return;
	}
	s = ui_draw_whole(ui, m, EXPORT_COLUMNS);
	screen_text(s, true, sb);
	screen_free(s);
}

int export_view(struct ui *ui, struct model *m, const char *path, struct error *err)
{
	_cleanup_(strbuf_free) struct strbuf text = { 0 };
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	size_t done = 0;

	if (fd < 0)
		return error_errno(err, errno, "cannot make %s", path);
	if (str_ends(path, ".json"))
		export_json(ui, m, &text);
	else
		write_text(ui, m, &text);
	while (done < text.length) {
		ssize_t n = write(fd, text.text + done, text.length - done);

		if (n < 0 && errno != EINTR)
			return error_errno(err, errno, "cannot write %s", path);
		done += n > 0 ? (size_t)n : 0;
	}
	if (close(steal_fd(&fd)) < 0)
		return error_errno(err, errno, "cannot write %s", path);
	return 0;
}
