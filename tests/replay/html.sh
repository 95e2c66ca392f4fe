#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# side by side
# timeout: 300
# The page of `ctrace show --html` in a real browser: used with mouse and keys, light, dark, printed, with hostile names.
. tests/lib/env.sh
need python3 jq
[ -x "$CTRACE" ] || skip_all "$CTRACE is not built"
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || skip_all "chromium is not installed"

for name in docker-oom runc-parallel; do
	"$CTRACE" show --html "$TOP/tests/replay/$name.ctrace" -o "$WORK/$name.html" || exit 1
done
id=$("$CTRACE" show --json "$TOP/tests/replay/docker-run.ctrace" | jq -r 'select(.type == "timeline").id')
/usr/bin/python3 -B "$LIB/hostile.py" "$TOP/tests/replay/docker-run.ctrace" "$WORK/hostile.ctrace" "$id"
"$CTRACE" show --html "$WORK/hostile.ctrace" -o "$WORK/hostile.html" || exit 1

# renders NAME: the browser alone, without a driver. What the page says on the console goes to $WORK/console.
renders()
{
	timeout 100 "$browser" --headless --no-sandbox --disable-gpu --disable-background-networking --no-first-run \
		--user-data-dir="$WORK/profile" --enable-logging=stderr --virtual-time-budget=5000 --dump-dom \
		"file://$WORK/$1.html" >"$WORK/dom.html" 2>"$WORK/log"
	grep 'CONSOLE' "$WORK/log" >"$WORK/console"
	rm -rf "$WORK/profile"
	grep -q 'class="row phase p-mounts"' "$WORK/dom.html" && [ ! -s "$WORK/console" ] || { cat "$WORK/console"; return 1; }
}

for name in docker-oom runc-parallel hostile; do
	check "$name: it draws itself and says nothing on the console" renders "$name"
done

# It asks for nothing by itself: no attribute of an element has an address in it.
asks_for_nothing()
{
	! sed 's/<script[^>]*>.*//' "$WORK/docker-oom.html" | grep -nE '<(link|img|iframe|object|base|form)|(src|href|action)=|@import|url\((.?http|//)'
}
check "it asks for nothing" asks_for_nothing

# The data is in it: what the page draws is what --json says.
carries_the_timelines()
{
	sed -n '/<script type="application\/json" class="container">/,/<\/script>/p' "$WORK/$1.html" | sed 's/<script[^>]*>//; s/<\/script>//' |
		grep -v noscript | sed -n 's/^{"type":"timeline"/&/p' | sed 's/"words":{.*//; s/,$//' | jq -cS 'del(.change)' >"$WORK/page.json"
	"$CTRACE" show --json "$TOP/tests/replay/$1.ctrace" | grep '"type":"timeline"' | jq -cS 'del(.change)' >"$WORK/show.json"
	[ -s "$WORK/show.json" ] && cmp "$WORK/page.json" "$WORK/show.json"
}
for name in docker-oom runc-parallel; do
	check "$name: it carries the JSON timelines" carries_the_timelines "$name"
done

drive()
{
	command -v node >/dev/null && command -v npm >/dev/null || { skip_point "the page, used" "node and npm are not installed"; return; }
	(cd "$WORK" && echo '{"private":true}' >package.json && timeout 90 npm install --no-audit --no-fund --no-save \
		--ignore-scripts --cache "$WORK/npm" playwright-core@1.48.2) >"$WORK/npm.log" 2>&1 ||
		{ skip_point "the page, used" "npm could not install playwright-core"; return; }
	node "$LIB/html_check.mjs" "$WORK/node_modules/playwright-core/index.mjs" "$browser" "$WORK" >"$WORK/tap" 2>"$WORK/err"
	while IFS= read -r line; do
		case $line in
		"ok "*) ok "${line#ok * - }" ;;
		"not ok "*) not_ok "${line#not ok * - }" ;;
		"# "*) echo "$line" ;;
		esac
	done <"$WORK/tap"
	grep -q '^1\.\.' "$WORK/tap" || { not_ok "the driver ran to its end"; diag "$(tail -n 5 "$WORK/err")"; }
}
drive
done_testing
