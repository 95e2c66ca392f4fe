/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vterm.h>

#include "exporters/format.h"
#include "tui/keys.h"
#include "util/array.h"
#include "util/cleanup.h"

/* At most so much is drawn before keys are heard again; what is typed beyond the bound is refused. */
enum { READ_MAX = 64 * 1024, WAITING_MAX = 1 << 20, SIGNALLED = 128, CANNOT_EXECUTE = 126 };

struct guest {
	pid_t pid; /* 0 = it has ended */
	int fd, code;
	VTerm *vt;
	VTermScreen *screen;
	int rows, columns;
	bool cursor_shown;
	struct strbuf waiting; /* typed, not yet taken */
	size_t refused; /* bytes typed beyond what may wait */
};

/* ---- begin and end ---- */

static int note_property(VTermProp property, VTermValue *value, void *arg)
{
	struct guest *c = arg;

	if (property == VTERM_PROP_CURSORVISIBLE)
		c->cursor_shown = value->boolean;
	return 1;
}

/* Also what the terminal answers by itself, when it is asked where its cursor is. */
static void type(const char *bytes, size_t length, void *arg)
{
	struct guest *c = arg;

	if (c->waiting.length + length <= WAITING_MAX)
		strbuf_add(&c->waiting, bytes, length);
	else
		c->refused += length;
	guest_write(c);
}

static void open_screen(struct guest *c)
{
	static const VTermScreenCallbacks callbacks = { .settermprop = note_property };

	c->vt = vterm_new(c->rows, c->columns);
	vterm_set_utf8(c->vt, 1);
	vterm_output_set_callback(c->vt, type, c);
	c->screen = vterm_obtain_screen(c->vt);
	vterm_screen_set_callbacks(c->screen, &callbacks, c);
	vterm_screen_enable_altscreen(c->screen, 1);
	vterm_screen_reset(c->screen, 1);
	c->cursor_shown = true;
}

static _Noreturn void be_program(char *const argv[])
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setenv("TERM", "xterm", 1); /* what libvterm is */
	execv(argv[0], argv);
	fprintf(stderr, "cannot execute %s: %s\n", argv[0], strerror(errno));
	_exit(CANNOT_EXECUTE);
}

int guest_open(char *const argv[], size_t rows, size_t columns, struct guest **ret_guest, struct error *err)
{
	struct guest *c = xcalloc(1, sizeof(*c));
	struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns };

	c->rows = (int)rows;
	c->columns = (int)columns;
	c->pid = forkpty(&c->fd, NULL, NULL, &size);
	if (c->pid == 0)
		be_program(argv);
	if (c->pid < 0) {
		int code = errno;

		free(c);
		return error_errno(err, code, "cannot make a terminal");
	}
	fcntl(c->fd, F_SETFD, FD_CLOEXEC);
	fcntl(c->fd, F_SETFL, O_RDWR | O_NONBLOCK);
	open_screen(c);
	*ret_guest = c;
	return 0;
}

void guest_close(struct guest *c)
{
	if (!c)
		return;
	close(c->fd);
	vterm_free(c->vt);
	strbuf_free(&c->waiting);
	free(c);
}

/* ---- between it and us ---- */

int guest_fd(const struct guest *c)
{
	return c->fd;
}

bool guest_is_waiting(const struct guest *c)
{
	return c->waiting.length > 0;
}

void guest_write(struct guest *c)
{
	ssize_t n = c->waiting.length ? write(c->fd, c->waiting.text, c->waiting.length) : 0;

	if (n > 0) {
		memmove(c->waiting.text, c->waiting.text + n, c->waiting.length - (size_t)n);
		c->waiting.length -= (size_t)n;
	} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
		strbuf_reset(&c->waiting); /* nobody is there */
	}
}

bool guest_read(struct guest *c)
{
	char bytes[8192];

	for (size_t sum = 0; sum < READ_MAX;) {
		ssize_t n = read(c->fd, bytes, sizeof(bytes));

		if (n <= 0)
			return n < 0 && (errno == EAGAIN || errno == EINTR); /* EIO: no process has it open any more */
		vterm_input_write(c->vt, bytes, (size_t)n);
		sum += (size_t)n;
	}
	return true;
}

bool guest_ended(struct guest *c, int *ret_code)
{
	int status;

	if (c->pid && waitpid(c->pid, &status, WNOHANG) == c->pid) {
		c->pid = 0;
		c->code = WIFEXITED(status) ? WEXITSTATUS(status) : SIGNALLED + WTERMSIG(status);
		for (int rounds = 0; rounds < 64 && guest_read(c); rounds++)
			;
	}
	*ret_code = c->code;
	return !c->pid;
}

size_t guest_refused(const struct guest *c)
{
	return c->refused;
}

void guest_signal(struct guest *c, int number)
{
	if (c->pid)
		kill(c->pid, number);
}

void guest_resize(struct guest *c, size_t rows, size_t columns)
{
	struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns };

	if (c->rows == (int)rows && c->columns == (int)columns)
		return;
	c->rows = (int)rows;
	c->columns = (int)columns;
	vterm_set_size(c->vt, c->rows, c->columns);
	ioctl(c->fd, TIOCSWINSZ, &size);
}

void guest_key(struct guest *c, int key)
{
	static const struct { int key; VTermKey its; } table[] = {
		{ TKEY_UP, VTERM_KEY_UP }, { TKEY_DOWN, VTERM_KEY_DOWN }, { TKEY_LEFT, VTERM_KEY_LEFT },
		{ TKEY_RIGHT, VTERM_KEY_RIGHT }, { TKEY_PAGE_UP, VTERM_KEY_PAGEUP }, { TKEY_PAGE_DOWN, VTERM_KEY_PAGEDOWN },
		{ TKEY_HOME, VTERM_KEY_HOME }, { TKEY_END, VTERM_KEY_END }, { TKEY_DELETE, VTERM_KEY_DEL },
		{ TKEY_INSERT, VTERM_KEY_INS },
	};
	char byte = (char)key;

	if (key >= 0 && key < 256) {
		type(&byte, 1, c);
	} else if (key >= TKEY_F1 && key <= TKEY_F12) {
		vterm_keyboard_key(c->vt, (VTermKey)VTERM_KEY_FUNCTION(key - TKEY_F1 + 1), VTERM_MOD_NONE);
	} else if (key == TKEY_BACKTAB) {
		vterm_keyboard_key(c->vt, VTERM_KEY_TAB, VTERM_MOD_SHIFT);
	}
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (table[i].key == key)
			vterm_keyboard_key(c->vt, table[i].its, VTERM_MOD_NONE);
	}
}

/* ---- its screen ---- */

static size_t encode(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* No control character of either set, and nothing that is no character. */
static bool is_printable(uint32_t c)
{
	return c >= 0x20 && (c < 0x7f || c > 0x9f) && (c < 0xd800 || c > 0xdfff) && c < 0x110000;
}

/* One character with what combines with it; "?" for what our terminal might take for something else, or for another
 * width than the program's terminal has. */
static void cell_text(const VTermScreenCell *cell, bool utf8, char text[CELL_BYTES])
{
	size_t length = 0;

	memset(text, 0, CELL_BYTES);
	for (size_t i = 0; i < VTERM_MAX_CHARS_PER_CELL && cell->chars[i]; i++) {
		char bytes[4];
		size_t n;

		if (!is_printable(cell->chars[i]) || (!utf8 && cell->chars[i] >= 0x80)) {
			length = 0;
			break;
		}
		n = encode(cell->chars[i], bytes);
		if (length + n >= CELL_BYTES)
			break;
		memcpy(text + length, bytes, n);
		length += n;
	}
	text[length] = '\0';
	if (cell->chars[0] && (!length || format_width(text) != (size_t)cell->width))
		strcpy(text, "?");
}

/* The terminal's own sixteen colours; of more the nearest that has a name: none. */
static uint8_t color_of(const VTermColor *color, struct look *look)
{
	if (!VTERM_COLOR_IS_INDEXED(color) || color->indexed.idx > 15)
		return 0;
	if (color->indexed.idx > 7 && look)
		look->bold = true;
	return (uint8_t)(1 + color->indexed.idx % 8);
}

static struct look look_of(const VTermScreenCell *cell)
{
	struct look look = { .bold = cell->attrs.bold, .underline = cell->attrs.underline != 0,
		.reverse = cell->attrs.reverse };

	if (!VTERM_COLOR_IS_DEFAULT_FG(&cell->fg))
		look.fore = color_of(&cell->fg, &look);
	if (!VTERM_COLOR_IS_DEFAULT_BG(&cell->bg))
		look.back = color_of(&cell->bg, NULL);
	return look;
}

void guest_draw(const struct guest *c, struct screen *s, size_t row, size_t column)
{
	for (int y = 0; y < c->rows; y++) {
		for (int x = 0; x < c->columns; x++) {
			VTermScreenCell cell;
			char text[CELL_BYTES];
			struct look look;

			if (!vterm_screen_get_cell(c->screen, (VTermPos){ y, x }, &cell) || cell.chars[0] == (uint32_t)-1)
				continue; /* the second half of a wide character */
			cell_text(&cell, s->utf8, text);
			look = look_of(&cell);
			screen_foreign(s, row + (size_t)y, column + (size_t)x, text, cell.width == 2 ? 2 : 1, &look);
		}
	}
}

bool guest_cursor(const struct guest *c, size_t *ret_row, size_t *ret_column)
{
	VTermPos at;

	vterm_state_get_cursorpos(vterm_obtain_state(c->vt), &at);
	if (!c->cursor_shown || at.row < 0 || at.col < 0 || at.row >= c->rows || at.col >= c->columns)
		return false;
	*ret_row = (size_t)at.row;
	*ret_column = (size_t)at.col;
	return true;
}

void guest_text(const struct guest *c, struct strbuf *sb)
{
	struct screen *s = screen_new((size_t)c->rows, (size_t)c->columns, true);

	guest_draw(c, s, 0, 0);
	screen_text(s, true, sb);
	screen_free(s);
}
