/* SPDX-License-Identifier: Apache-2.0 */
/* --format: Go's templates and docker's functions, and what an error says of what is not there. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/template.h"
#include "util/cleanup.h"

static const char document[] =
	"{\"Id\": \"abcdef\", \"Name\": \"/web-one\", \"Empty\": \"\", \"Null\": null, \"Float\": 1.5, \"List\": [],"
	" \"State\": {\"Status\": \"running\", \"Running\": true, \"Paused\": false, \"Pid\": 42, \"ExitCode\": 0},"
	" \"Config\": {\"Cmd\": [\"sh\", \"-c\", \"a b\"], \"Image\": \"host:5000/x:tag\","
	"  \"Labels\": {\"z\": \"1\", \"com.example/a\": \"<&>\", \"no\": \"\"}},"
	" \"Numbers\": [3, 4], \"Deep\": [{\"A\": 1}, {\"A\": 2}],"
	" \"Ports\": {\"80/tcp\": [{\"HostIp\": \"0.0.0.0\", \"HostPort\": \"8080\"}, {\"HostIp\": \"::\", \"HostPort\": \"8081\"}],"
	"  \"9/udp\": null}}";

static const struct {
	const char *text, *result;
} good[] = {
	/* values */
	{ "plain", "plain" }, { "", "" }, { "a\\tb\\nc\\d", "a\tb\nc\\d" }, { "}}{", "}}{" },
	{ "{{.Id}}-{{ .State.Pid }}", "abcdef-42" }, { "{{.State.Running}} {{.Float}}", "true 1.5" }, { "{{.Null}}", "<no value>" },
	{ "{{.Config.Cmd}} {{.List}} {{.Numbers}}", "[sh -c a b] [] [3 4]" }, { "{{.Deep}}", "[map[A:1] map[A:2]]" },
	{ "{{.Config.Labels}}", "map[com.example/a:<&> no: z:1]" }, { "{{print .Null}}", "<nil>" },
	{ "{{\"a\\tb\\x41\\u00e9\\101\"}}{{`raw\\n`}}{{'a'}}{{'\\n'}}{{0x10}}{{-3}}{{1.5}}{{true}}", "a\tbA\xc3\xa9" "Araw\\n9710" "16-31.5true" },
	/* variables, with */
	{ "{{$x := .State.Pid}}{{$x}}{{$x = 7}}{{$x}}", "427" }, { "{{$.Id}}{{with .State}}{{.Pid}}{{$.Id}}{{end}}", "abcdef42abcdef" },
	{ "{{with .Empty}}x{{else}}none{{end}}{{with $s := .State}}{{$s.Pid}}{{end}}", "none42" },
	{ "{{with .Empty}}x{{else with .Id}}{{.}}{{end}}", "abcdef" }, { "{{$n := 1}}{{if true}}{{$n := 2}}{{$n}}{{end}}{{$n}}", "21" },
	{ "{{$n := 1}}{{if true}}{{$n = 2}}{{end}}{{$n}}", "2" },
	/* if */
	{ "{{if .State.Running}}up{{else}}down{{end}}", "up" }, { "{{if .List}}a{{else if .Empty}}b{{else if .Id}}c{{else}}d{{end}}", "c" },
	{ "{{if eq .State.Status \"exited\" \"running\"}}y{{end}}{{if ne .State.ExitCode 0}}n{{end}}", "y" },
	{ "{{if and .Id (not .Empty) (eq .State.Pid 42)}}y{{end}}{{or .Empty .Id}}{{and .Empty .Nosuch}}|{{or .Id .Nosuch}}", "yabcdef|abcdef" },
	{ "{{.Id | and .Name}}{{.Name | or .Empty}}{{.Empty | and .Id}}|{{.Id | or .State.Pid}}", "abcdef/web-one|42" },
	{ "{{lt 1 2}}{{le 2 2}}{{gt 1 2}}{{ge 1 2}}{{lt \"a\" \"b\"}}", "truetruefalsefalsetrue" }, { "{{eq .Null nil}}{{eq .Id nil}}", "truefalse" },
	{ "{{eq .State.Running true}}{{ne .State.Running true}}", "truefalse" },
	/* range */
	{ "{{range .Config.Cmd}}<{{.}}>{{end}}", "<sh><-c><a b>" }, { "{{range $i, $v := .Config.Cmd}}{{$i}}{{$v}} {{end}}", "0sh 1-c 2a b " },
	{ "{{range $k, $v := .Config.Labels}}{{$k}}={{$v}} {{end}}", "com.example/a=<&> no= z=1 " }, { "{{range $v := .Numbers}}{{$v}}{{end}}", "34" },
	{ "{{range .List}}x{{else}}none{{end}}{{range .Null}}x{{else}}none{{end}}", "nonenone" },
	{ "{{range .Numbers}}{{if eq . 4}}{{break}}{{end}}{{.}}{{end}}", "3" }, { "{{range .Numbers}}{{if eq . 3}}{{continue}}{{end}}{{.}}{{end}}", "4" },
	{ "{{range $p, $c := .Ports}}{{$p}}{{range $c}} {{.HostPort}}{{end}};{{end}}", "80/tcp 8080 8081;9/udp;" },
	{ "{{range .Numbers}}{{range $.Numbers}}{{.}}{{end}} {{end}}", "34 34 " }, { "{{$l := 0}}{{range .Numbers}}{{$l = .}}{{end}}{{$l}}", "4" },
	/* index, slice, len */
	{ "{{(index (index .Ports \"80/tcp\") 0).HostPort}}", "8080" }, { "{{index .Ports \"80/tcp\" 1 \"HostIp\"}}", "::" },
	{ "{{index .Config.Labels \"com.example/a\"}}{{index .Config.Labels \"nosuch\"}}|{{index .Config.Cmd 1}}", "<&>|-c" },
	{ "{{len .Config.Cmd}}{{len .Config.Labels}}{{len .Id}}{{.Id | len}}", "3366" }, { "{{slice .Id 0 3}} {{slice .Id 4}} {{slice .Config.Cmd 1 2}}", "abc ef [-c]" },
	/* docker's functions, and pipes */
	{ "{{json .Config.Cmd}}{{json .Null}}{{json .Config.Labels}}", "[\"sh\",\"-c\",\"a b\"]null{\"z\":\"1\",\"com.example/a\":\"<&>\",\"no\":\"\"}" },
	{ "{{.Id | upper}} {{upper .Id | lower}} {{title \"two words\"}} {{title \"it_is x-y\"}}", "ABCDEF abcdef Two Words It_is X-Y" },
	{ "{{join .Config.Cmd \"+\"}} {{join .List \",\"}}|{{split .Config.Image \":\"}} {{index (split .Name \"-\") 1}}", "sh+-c+a b |[host 5000/x tag] one" },
	{ "{{split \"abc\" \"\"}}{{len (split .Empty \",\")}}", "[a b c]1" }, { "{{join (split .Id \"c\") \"-\"}}", "ab-def" },
	{ "[{{pad .Id 1 2}}][{{pad .Empty 1 2}}]{{truncate .Id 3}}{{truncate .Id 99}}", "[ abcdef  ][]abcabcdef" },
	{ "{{println .Id 1}}{{print 1 2 \"x\" 3}}{{println}}", "abcdef 1\n1 2x3\n" },
	{ "{{printf \"%s|%-8s|%8s|%q|%d|%05d|%v|%.2f|%x|%t|%%|%.2s|%c\" .Id .Id .Id .Id 7 7 .Numbers 1.5 255 true .Id 'x'}}",
		"abcdef|abcdef  |  abcdef|\"abcdef\"|7|00007|[3 4]|1.50|ff|true|%|ab|x" },
	{ "{{.State.Pid | printf \"%d-%d\" 1}}", "1-42" }, { "{{(.State).Pid}}{{(print .Id).Nosuch | len | not}}", NULL },
	/* comments and trimming */
	{ "a {{- .State.Pid -}} b", "a42b" }, { "a {{/* text }} */}}b{{- /* x */ -}} c", "a bc" }, { "{{- /* x */ -}}\n", "" }, { "{{ - 3}}", NULL },
	{ "{{range .Numbers -}}\n {{.}}\n{{- end}}", "34" }, { "{{\"}}\"}}", "}}" },
};

/* What an error says; -EINVAL where the template itself is wrong. */
static const struct {
	const char *text;
	int code;
	const char *says;
} bad[] = {
	{ "{{.Nosuch}}", -ENOENT, "can't evaluate field Nosuch in .Nosuch" }, { "{{.Id.X}}", -ENOENT, "can't evaluate field X in .Id.X" },
	{ "{{.Null.X}}", -ENOENT, "nil pointer evaluating X in .Null.X" }, { "{{.State.Health.Status}}", -ENOENT, "field Health in .State.Health.Status" },
	{ "{{", -EINVAL, "unclosed action" }, { "{{.Id", -EINVAL, "unclosed action" }, { "{{.Id}", -EINVAL, "unexpected \"}\"" },
	{ "{{}}", -EINVAL, "missing value for command" }, { "{{if}}{{end}}", -EINVAL, "missing value for if" }, { "{{range}}{{end}}", -EINVAL, "missing value for range" },
	{ "{{if .Id}}", -EINVAL, "{{end}} is missing" }, { "{{range .List}}{{if .Id}}{{end}}", -EINVAL, "{{end}} is missing" },
	{ "{{if .Id}}{{else}}", -EINVAL, "{{end}} is missing" }, { "{{if .Id}}{{else}}{{else}}{{end}}", -EINVAL, "expected end" },
	{ "{{end}}", -EINVAL, "unexpected {{end}}" }, { "{{else}}", -EINVAL, "unexpected {{else}}" }, { "{{range .List}}{{else if .Id}}{{end}}", -EINVAL, "in else" },
	{ "{{end x}}", -EINVAL, "unexpected \"x\" in end" }, { "{{break}}", -EINVAL, "{{break}} outside {{range}}" },
	{ "{{nosuch .Id}}", -EINVAL, "function \"nosuch\" not defined" }, { "{{html .Id}}", -EINVAL, "Go's function \"html\" is not supported" },
	{ "{{.Id | urlquery}}", -EINVAL, "Go's function \"urlquery\"" }, { "{{template \"x\"}}", -EINVAL, "Go's {{template}} is not supported" },
	{ "{{define \"x\"}}{{end}}", -EINVAL, "{{define}}" }, { "{{block \"x\" .}}{{end}}", -EINVAL, "{{block}}" },
	{ "{{$x}}", -EINVAL, "undefined variable \"$x\"" }, { "{{range $x .List}}{{end}}", -EINVAL, "undefined variable \"$x\"" },
	{ "{{range $a, $b, $c := .List}}{{end}}", -EINVAL, "unexpected \"$c\"" }, { "{{$a, $b := .List}}", -EINVAL, "too many declarations" },
	{ "{{if true}}{{$x := 1}}{{end}}{{$x}}", -EINVAL, "undefined variable \"$x\"" }, { "{{$x = 1}}", -EINVAL, "undefined variable" },
	{ "{{\"a}}", -EINVAL, "unterminated quoted string" }, { "{{\"\\z\"}}", -EINVAL, "invalid syntax" }, { "{{\"\\ud800\"}}", -EINVAL, "invalid syntax" },
	{ "{{\"\\u0x41\"}}", -EINVAL, "invalid syntax" }, { "{{\"\\400\"}}", -EINVAL, "invalid syntax" }, { "{{3x}}", -EINVAL, "bad number syntax: \"3x\"" },
	{ "{{'ab'}}", -EINVAL, "malformed character constant" }, { "{{(.Id}}", -EINVAL, "unclosed left paren" }, { "{{.Id)}}", -EINVAL, "unexpected right paren" },
	{ "{{.Id | \"x\"}}", -EINVAL, "non executable command" }, { "{{.Id |}}", -EINVAL, "missing value" }, { "{{/* x }}", -EINVAL, "unclosed comment" },
	{ "{{&}}", -EINVAL, "unexpected \"&\"" }, { "{{\"a\"\"b\"}}", -EINVAL, "in operand" }, { "{{.Id \"x\"}}", -EINVAL, "can't give argument to non-function .Id" },
	{ "{{.Id | .Name}}", -EINVAL, "non-function .Name" }, { "{{.Label \"x\"}}", -EINVAL, "non-function .Label" },
	{ "{{upper}}", -EINVAL, "wrong number of args for upper: want 1 got 0" }, { "{{split .Id}}", -EINVAL, "want 2 got 1" }, { "{{eq 1}}", -EINVAL, "want at least 2 got 1" },
	{ "{{upper 1}}", -EDOM, "error calling upper: wrong type for value; expected string; got int" }, { "{{truncate .Id \"x\"}}", -EDOM, "expected int; got string" },
	{ "{{join .Numbers \",\"}}", -EDOM, "error calling join" }, { "{{join .Id \",\"}}", -EDOM, "expected list of strings; got string" },
	{ "{{eq .Id 1}}", -EDOM, "error calling eq: incompatible types" }, { "{{lt true false}}", -EDOM, "error calling lt: invalid type" }, { "{{eq .List .List}}", -EDOM, "invalid type" },
	{ "{{index .Numbers 2}}", -EDOM, "index out of range: 2" }, { "{{index .Numbers -1}}", -EDOM, "out of range: -1" }, { "{{index .State.Pid 0}}", -EDOM, "can't index item of type int" },
	{ "{{index .Null 0}}", -EDOM, "can't index item of type nil" }, { "{{slice .Id 2 1}}", -EDOM, "out of range" }, { "{{slice .Id 0 7}}", -EDOM, "out of range: 7" },
	{ "{{len 3}}", -EDOM, "len of type int" }, { "{{len .Null}}", -EDOM, "len of type nil" }, { "{{range .Id}}{{end}}", -EDOM, "range can't iterate over abcdef" },
	{ "{{pad .Id -1 0}}", -EDOM, "error calling pad" }, { "{{pad .Id 1000000000 0}}", -EDOM, "error calling pad" }, { "{{truncate .Id -1}}", -EDOM, "error calling truncate" },
	{ "{{printf \"%d\" .Id}}", -EDOM, "%d of a value of type string" }, { "{{printf \"%x\" -1}}", -EDOM, "%x of a negative number" },
	{ "{{printf \"%s\"}}", -EDOM, "no value for %s" }, { "{{printf \"x\" 1}}", -EDOM, "1 values" },
	{ "{{printf \"%999999999999d\" 1}}", -EDOM, "width" }, { "{{printf \"%\"}}", -EDOM, "no verb" }, { "{{printf \"%y\" 1}}", -EDOM, "%y" },
};

static int print(const char *text, const struct template_row *row, struct strbuf *out, struct error *err)
{
	strbuf_reset(out);
	strbuf_puts(out, "");
	return template_print_row(text, row, out, err);
}

static void test_good(void **state)
{
	const struct template_row row = { .row = json_tokener_parse(document) };
	_cleanup_(strbuf_free) struct strbuf out = { 0 };

	(void)state;
	assert_non_null(row.row);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct error err = { 0 };
		int r = print(good[i].text, &row, &out, &err);

		if (!good[i].result) {
			assert_true(r < 0);
			continue;
		}
		if (r < 0)
			print_error("%s: %s\n", good[i].text, err.text);
		assert_int_equal(r, 0);
		assert_string_equal(out.text, good[i].result);
	}
	json_object_put(row.row);
}

static void test_bad(void **state)
{
	const struct template_row row = { .row = json_tokener_parse(document) };
	_cleanup_(strbuf_free) struct strbuf out = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct error err = { 0 };
		int r = print(bad[i].text, &row, &out, &err);

		if (r != bad[i].code || !strstr(err.text, bad[i].says))
			print_error("%s: %d %s\n", bad[i].text, r, err.text);
		assert_int_equal(r, bad[i].code);
		assert_non_null(strstr(err.text, bad[i].says));
		assert_true(str_starts(err.text, r == -EINVAL && strstr(err.text, "parsing") ? "template parsing error: " : "template: "));
	}
	json_object_put(row.row);
}

/* Every beginning of a template: none may do more than fail. */
static void test_cut_short(void **state)
{
	const struct template_row row = { .row = json_tokener_parse(document) };
	_cleanup_(strbuf_free) struct strbuf out = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		for (size_t length = 0; length < strlen(good[i].text); length++) {
			_cleanup_free_ char *text = strndup(good[i].text, length);
			int r = print(text, &row, &out, NULL);

			assert_true(r <= 0);
		}
	}
	json_object_put(row.row);
}

static void test_depth(void **state)
{
	const struct template_row row = { .row = json_tokener_parse(document) };
	_cleanup_(strbuf_free) struct strbuf out = { 0 }, text = { 0 };
	struct error err = { 0 };

	(void)state;
	for (size_t i = 0; i < 90; i++)
		strbuf_puts(&text, "{{if .Id}}");
	strbuf_puts(&text, "x");
	for (size_t i = 0; i < 90; i++)
		strbuf_puts(&text, "{{end}}");
	assert_int_equal(print(text.text, &row, &out, &err), 0);
	assert_string_equal(out.text, "x");
	strbuf_reset(&text);
	for (size_t i = 0; i < 100000; i++)
		strbuf_puts(&text, "{{if .Id}}");
	assert_int_equal(print(text.text, &row, &out, &err), -EINVAL);
	assert_non_null(strstr(err.text, "nested more than"));
	strbuf_reset(&text);
	strbuf_puts(&text, "{{");
	for (size_t i = 0; i < 100000; i++)
		strbuf_puts(&text, "(");
	assert_int_equal(print(text.text, &row, &out, &err), -EINVAL);
	json_object_put(row.row);
}

static void test_rows(void **state)
{
	struct template_row row = { .row = json_tokener_parse("{\"Names\": \"web\", \"State\": \"running\"}"),
		.labels = json_tokener_parse("{\"com.example.my-name\": \"a,b=c\"}") };
	_cleanup_(strbuf_free) struct strbuf out = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(print("{{.Label \"com.example.my-name\"}}|{{.Label \"x\"}}|{{$.Label \"com.example.my-name\" | upper}}", &row, &out, &err), 0);
	assert_string_equal(out.text, "a,b=c||A,B=C");
	assert_int_equal(print("{{with .Names}}{{.Label \"x\"}}{{end}}", &row, &out, &err), -EINVAL);
	assert_int_equal(print("{{.Label}}", &row, &out, &err), -EINVAL);
	assert_non_null(strstr(err.text, ".Label wants one argument"));
	row.heading = true;
	assert_int_equal(print("{{.Label \"com.example.my-name\"}} {{lower .Names}} {{json .State}} {{truncate .Names 1}}", &row, &out, &err), 0);
	assert_string_equal(out.text, "my name web running web");
	json_object_put(row.row);
	json_object_put(row.labels);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good), cmocka_unit_test(test_bad), cmocka_unit_test(test_cut_short), cmocka_unit_test(test_depth),
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
