/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/terminal.h"

#include <errno.h>
#include <langinfo.h>
#include <ncursesw/ncurses.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <ncursesw/term.h>
#include <termios.h>
#include <unistd.h>

/* term.h takes these names for itself */
#undef columns
#undef lines

#include "tui/keys.h"
#include "util/array.h"
#include "util/cleanup.h"

enum { LOOK_PAIRS = 20 /* colour pairs below are those of the styles */ };

static struct {
	SCREEN *curses;
	struct screen *shown; /* what the terminal has, NULL = nothing is known */
	bool mouse, has_color;
	struct termios before;
	char reset[256]; /* what ends all that was begun: for a crash, when curses cannot be asked */
	size_t reset_length;
	attr_t attributes[STYLE_COUNT];
	short pairs[STYLE_COUNT];
} terminal;

const char *glyph(enum glyph g, bool utf8)
{
	static const char *const glyphs[GLYPH_COUNT][2] = {
		[GLYPH_FULL] = { "#", "█" }, [GLYPH_LEFT_HALF] = { "#", "▌" }, [GLYPH_RIGHT_HALF] = { "#", "▐" },
		[GLYPH_SPAN] = { "-", "─" }, [GLYPH_CUT] = { "~", "┄" }, [GLYPH_GAP] = { ":", "░" },
		[GLYPH_LOST] = { "/", "╱" }, [GLYPH_FOLDED] = { "+", "▸" }, [GLYPH_UNFOLDED] = { "-", "▾" },
		[GLYPH_LEAF] = { " ", " " }, [GLYPH_CRITICAL] = { "*", "◆" }, [GLYPH_MARK] = { "^", "▲" },
		[GLYPH_DOWN] = { "v", "▼" }, [GLYPH_UP] = { "^", "▲" }, [GLYPH_EMPTY] = { ".", "·" },
		[GLYPH_RULE] = { "-", "─" }, [GLYPH_TIMES] = { "x", "×" }, [GLYPH_DOT] = { "|", "·" },
		[GLYPH_TICK] = { "|", "╷" }, [GLYPH_WALL] = { "|", "│" },
		[GLYPH_SPARK_FIRST] = { "_", "▁" }, { "_", "▂" }, { ".", "▃" }, { ".", "▄" }, { "o", "▅" },
		{ "o", "▆" }, { "#", "▇" }, { "#", "█" },
	};

	return glyphs[g][utf8];
}

bool terminal_utf8(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

/* ---- colours ---- */

/* Only the terminal's own eight colours on its own background, so that light and dark both work; what they say
 * is also said without them. */
static void init_styles(bool color)
{
	static const struct { uint8_t style; short color; attr_t with, without; } table[] = {
		{ STYLE_DIM, -1, A_DIM, A_DIM }, { STYLE_BOLD, -1, A_BOLD, A_BOLD },
		{ STYLE_TITLE, -1, A_BOLD, A_BOLD }, { STYLE_TAB, -1, A_REVERSE | A_BOLD, A_REVERSE },
		{ STYLE_HEAD, COLOR_CYAN, A_BOLD, A_UNDERLINE }, { STYLE_KEY, COLOR_CYAN, A_BOLD, A_BOLD },
		{ STYLE_GOOD, COLOR_GREEN, 0, 0 }, { STYLE_WARN, COLOR_YELLOW, 0, A_BOLD },
		{ STYLE_BAD, COLOR_RED, A_BOLD, A_BOLD }, { STYLE_GAP, -1, A_DIM, A_DIM },
		{ STYLE_PHASE_FIRST, COLOR_CYAN, 0, 0 }, { STYLE_PHASE_FIRST + 1, COLOR_BLUE, 0, 0 },
		{ STYLE_PHASE_FIRST + 2, COLOR_MAGENTA, 0, 0 }, { STYLE_PHASE_FIRST + 3, COLOR_YELLOW, 0, 0 },
		{ STYLE_PHASE_FIRST + 4, COLOR_GREEN, 0, 0 }, { STYLE_PHASE_FIRST + 5, COLOR_RED, 0, 0 },
	};

	color = color && has_colors() && start_color() == OK && use_default_colors() == OK;
	terminal.has_color = color;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		uint8_t style = table[i].style;

		terminal.attributes[style] = color ? table[i].with : table[i].without;
		if (!color || table[i].color < 0)
			continue;
		init_pair((short)(i + 1), table[i].color, -1);
		terminal.pairs[style] = (short)(i + 1);
	}
}

/* ---- taking over and giving back ---- */

static void add_reset(const char *sequence)
{
	size_t length = sequence && sequence != (char *)-1 ? strlen(sequence) : 0;

	if (terminal.reset_length + length >= sizeof(terminal.reset))
		return;
	memcpy(terminal.reset + terminal.reset_length, sequence ? sequence : "", length);
	terminal.reset_length += length;
}

static void collect_reset(void)
{
	static const char *const names[] = { "sgr0", "rmacs", "cnorm", "rmkx", "rmcup" };

	terminal.reset_length = 0;
	if (terminal.mouse)
		add_reset("\033[?1000l\033[?1002l\033[?1006l");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		add_reset(tigetstr((char *)names[i]));
	if (!tigetstr("rmcup"))
		add_reset("\r\n");
}

/* Only what a signal handler may call. */
static void crashed(int signal_number)
{
	ssize_t n = write(STDOUT_FILENO, terminal.reset, terminal.reset_length);

	(void)n;
	tcsetattr(STDIN_FILENO, TCSANOW, &terminal.before);
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

static void catch_crashes(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
	static char stack[65536]; /* a stack that has overflown is no place for a handler */
	struct sigaction action = { .sa_handler = crashed, .sa_flags = SA_ONSTACK | SA_RESETHAND };

	sigaltstack(&(stack_t){ .ss_sp = stack, .ss_size = sizeof(stack) }, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, NULL);
}

int terminal_open(int color, bool mouse, struct error *err)
{
	const char *no_color = getenv("NO_COLOR"), *name = getenv("TERM");

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return error_set(err, ENOTTY, "standard %s is not a terminal; --batch prints without one",
			isatty(STDIN_FILENO) ? "output" : "input");
	tcgetattr(STDIN_FILENO, &terminal.before);
	terminal.curses = newterm(NULL, stdout, stdin);
	if (!terminal.curses)
		return error_set(err, ENOTTY, "the terminal type TERM=%.40s is not known here; --batch prints without one",
			name ? name : "");
	set_term(terminal.curses);
	if (!tigetstr((char *)"cup")) {
		endwin();
		delscreen(terminal.curses);
		terminal.curses = NULL;
		return error_set(err, ENOTTY, "a terminal of type TERM=%.40s cannot move its cursor; --batch prints without that",
			name ? name : "");
	}
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(25);
	curs_set(0);
	init_styles(color > 0 || (color < 0 && !(no_color && *no_color)));
	terminal_mouse(mouse);
	catch_crashes();
	return 0;
}

void terminal_take_all_keys(void)
{
	raw();
}

void terminal_close(void)
{
	if (!terminal.curses)
		return;
	terminal_mouse(false);
	endwin();
	delscreen(terminal.curses);
	screen_free(terminal.shown);
	terminal.curses = NULL;
	terminal.shown = NULL;
}

void terminal_size(size_t *ret_rows, size_t *ret_columns)
{
	*ret_rows = LINES > 0 ? (size_t)LINES : 24;
	*ret_columns = COLS > 0 ? (size_t)COLS : 80;
}

void terminal_resize(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col)
		resizeterm(size.ws_row, size.ws_col);
	terminal_redraw();
}

void terminal_mouse(bool on)
{
	terminal.mouse = on;
	mouseinterval(0); /* a click counts at once; who clicks twice is seen by the loop */
	mousemask(on ? BUTTON1_PRESSED | BUTTON1_CLICKED | BUTTON1_DOUBLE_CLICKED | BUTTON4_PRESSED | BUTTON5_PRESSED : 0,
		NULL);
	collect_reset();
}

/* ---- drawing ---- */

/* What a program of somebody else's wants to look like. A pair for each two of its nine colours is made when it is
 * first wanted, as far as the terminal has so many. */
static void set_look(const struct look *look)
{
	attr_t attributes = (look->bold ? A_BOLD : 0) | (look->underline ? A_UNDERLINE : 0) |
			    (look->reverse ? A_REVERSE : 0);
	short pair = 0;

	if (terminal.has_color && (look->fore || look->back)) {
		pair = (short)(LOOK_PAIRS + look->fore * 9 + look->back);
		if (pair >= COLOR_PAIRS || init_pair(pair, (short)(look->fore - 1), (short)(look->back - 1)) == ERR)
			pair = 0;
	}
	attr_set(attributes, pair, NULL);
}

static void set_style(const struct cell *cell)
{
	uint8_t style = cell->style;
	attr_t attributes = terminal.attributes[style & ~STYLE_SELECTED];

	if (style == STYLE_FOREIGN) {
		set_look(&cell->look);
		return;
	}
	if (style & STYLE_SELECTED)
		attributes = (attributes & ~A_DIM) | A_REVERSE;
	attr_set(attributes, terminal.pairs[style & ~STYLE_SELECTED], NULL);
}

static void show_row(const struct screen *s, size_t row)
{
	const struct cell *cells = &s->cells[row * s->columns];

	move((int)row, 0);
	for (size_t i = 0; i < s->columns; i++) {
		if (!cells[i].width)
			continue;
		set_style(&cells[i]);
		addstr(cells[i].text[0] ? cells[i].text : " ");
	}
}

void terminal_show(const struct screen *s)
{
	size_t bytes = s->columns * sizeof(*s->cells);
	bool all = !terminal.shown || terminal.shown->rows != s->rows || terminal.shown->columns != s->columns;

	if (all) {
		screen_free(terminal.shown);
		terminal.shown = screen_new(s->rows, s->columns, s->utf8);
		clear(); /* and the whole terminal with the next refresh */
	}
	for (size_t row = 0; row < s->rows; row++) {
		struct cell *shown = &terminal.shown->cells[row * s->columns];
		const struct cell *wanted = &s->cells[row * s->columns];

		if (!all && !memcmp(shown, wanted, bytes))
			continue;
		memcpy(shown, wanted, bytes);
		show_row(s, row);
	}
	refresh();
}

void terminal_redraw(void)
{
	screen_free(terminal.shown);
	terminal.shown = NULL;
}

void terminal_cursor(size_t row, size_t column)
{
	curs_set(column != SIZE_MAX);
	if (column != SIZE_MAX)
		move((int)row, (int)column);
	refresh();
}

/* ---- input ---- */

static int translate(int key)
{
	static const struct { int curses, key; } table[] = {
		{ KEY_UP, TKEY_UP }, { KEY_DOWN, TKEY_DOWN }, { KEY_LEFT, TKEY_LEFT }, { KEY_RIGHT, TKEY_RIGHT },
		{ KEY_PPAGE, TKEY_PAGE_UP }, { KEY_NPAGE, TKEY_PAGE_DOWN }, { KEY_HOME, TKEY_HOME },
		{ KEY_END, TKEY_END }, { KEY_BTAB, TKEY_BACKTAB }, { KEY_BACKSPACE, TKEY_BACKSPACE }, { 8, TKEY_BACKSPACE },
		{ KEY_DC, TKEY_DELETE }, { KEY_IC, TKEY_INSERT }, { KEY_ENTER, TKEY_ENTER },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (table[i].curses == key)
			return table[i].key;
	}
	if (key >= KEY_F(1) && key <= KEY_F(12))
		return TKEY_F1 + key - KEY_F(1);
	return key < 256 ? key : TKEY_OTHER;
}

static bool read_mouse(struct terminal_input *in)
{
	MEVENT event;

	if (getmouse(&event) != OK)
		return false;
	in->row = event.y > 0 ? (size_t)event.y : 0;
	in->column = event.x > 0 ? (size_t)event.x : 0;
	in->click = event.bstate & (BUTTON1_PRESSED | BUTTON1_CLICKED); /* a quick one is told as clicked */
	in->double_click = event.bstate & BUTTON1_DOUBLE_CLICKED;
	in->wheel = event.bstate & BUTTON4_PRESSED ? -1 : event.bstate & BUTTON5_PRESSED ? 1 : 0;
	return true;
}

bool terminal_read(struct terminal_input *ret_input)
{
	int key = getch();

	*ret_input = (struct terminal_input){ 0 };
	while (key == KEY_RESIZE || (key == KEY_MOUSE && !read_mouse(ret_input)))
		key = getch();
	if (key == ERR)
		return false;
	ret_input->key = key == KEY_MOUSE ? 0 : translate(key);
	return true;
}
