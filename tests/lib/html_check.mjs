// SPDX-License-Identifier: Apache-2.0
// Uses pages of `ctrace show --html` as a person would, in a real browser.
//
// Usage: node html_check.mjs PLAYWRIGHT BROWSER DIRECTORY
//
// DIRECTORY has NAME.html of the recordings docker-oom and runc-parallel, and hostile.html. Prints TAP.
const [playwright, executable, directory] = process.argv.slice(2);
const { chromium } = await import(playwright);
const browser = await chromium.launch({ executablePath: executable,
	args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"] });
let count = 0;

function point(good, what, why) {
	console.log(`${good ? "ok" : "not ok"} ${++count} - ${what}`);
	if (!good)
		console.log(`# ${why ?? ""}`);
}

const same = (got, wanted, what) => point(JSON.stringify(got) === JSON.stringify(wanted), what,
	`got ${JSON.stringify(got)}, wanted ${JSON.stringify(wanted)}`);

// A page, and all that it must not do: write to the console, fail, ask for anything, open a dialogue.
async function open(name, options = {}) {
	const page = await browser.newPage({ viewport: { width: 1400, height: 1000 }, ...options });
	page.said = [];
	page.on("console", (m) => page.said.push("console: " + m.text()));
	page.on("pageerror", (e) => page.said.push("error: " + e.message));
	page.on("dialog", (d) => { page.said.push("dialog: " + d.message()); d.dismiss(); });
	page.on("request", (r) => r.url().startsWith("file:") || page.said.push("request: " + r.url()));
	await page.goto(`file://${directory}/${name}.html${options.hash ?? ""}`);
	return page;
}

const text = (page, selector) => page.locator(selector).first().textContent();
const rows = (page, selector) => page.locator(".row" + selector).count();

async function clicks() {
	const page = await open("docker-oom");
	same((await page.title()).replace(/[0-9a-f]{12}…/, "ID"), "eater: killed by SIGKILL (OOM: 32 MiB limit of /docker/ID hit, usage 32 MiB), " +
		"exit code 137 - ctrace", "the title says what became of it");
	same(await page.locator("header .chip").allTextContents(), ["killed", "out of memory"], "and so do its chips");
	point((await text(page, ".command")).startsWith("docker run --rm --name eater --memory 32m"), "the command that made it");
	same(await rows(page, ".step"), 0, "first there are phases and no steps");
	point(/^pivot_root, mount, umount$/.test(await text(page, ".row.phase:has-text('pivot') .more")) &&
		/^link ×3, mount,/.test(await text(page, ".row.phase:has-text('network') .more")), "their steps have the names of the other views");
	same((await text(page, ".row.mark .text")).replace(/\d+/g, "N"), "stage runc:[N:PARENT] (pid N)", "a mark is told in words");
	await page.click(".row.phase:has-text('mounts') .label");
	point(await rows(page, ".step") > 30, "a click on a phase shows its steps");
	await page.locator(".row.step:has-text('mount proc')").first().click();
	const details = await text(page, ".details");
	point(/fstypeproc/.test(details) && /MS_NOSUID/.test(details) && /proc of its own/.test(details),
		"a click on a step shows its details and why it is done", details);
	await page.click(".details .close");
	point(await page.locator(".details").isHidden(), "the details can be closed");
	await page.click(".row.actor:has-text('stimulus') .bar, .row.actor:has-text('stimulus') .dur");
	point(/role.*init/.test(await text(page, ".details")), "a click on an actor shows who it was");
	point(await page.locator(".grid line.oom").count() === 1, "the OOM kill is a line through the picture");
	point(/memory\.limit_in_bytes/.test(await text(page, ".tables")) && /32 MiB/.test(await text(page, ".tables")),
		"limits are told");
	same(page.said, [], "nothing on the console, no request");
	await page.close();
}

async function search() {
	const page = await open("docker-oom");
	await page.keyboard.press("/");
	await page.keyboard.type("pivot_root");
	same(await text(page, ".found"), "1 of 181 steps", "a search finds the step");
	point(await rows(page, ".step") >= 1 && await page.locator(".row mark").count() >= 1, "and shows it, marked");
	await page.keyboard.press("Enter");
	point(/new_root|new root/.test(await text(page, ".details")), "Enter opens what was found");
	await page.keyboard.press("Escape");
	await page.fill("#find", "there is no such step");
	same(await rows(page, ""), 0, "what is not there is not found");
	await page.fill("#find", "");
	point(await rows(page, ".phase") > 10, "an empty search shows all again");
	await page.click("button:has-text('failed')");
	same(await text(page, ".found"), "14 of 181 steps", "the failed ones alone");
	same(page.said, [], "nothing on the console, no request");
	await page.close();
}

async function keys() {
	const page = await open("docker-oom");
	await page.locator(".row").first().focus();
	await page.keyboard.press("ArrowDown");
	same(await page.evaluate(() => document.activeElement.querySelector(".text").textContent), "rootfs", "an arrow moves");
	await page.keyboard.press("ArrowRight");
	same(await rows(page, ".step"), 8, "another one opens");
	await page.keyboard.press("ArrowRight");
	await page.keyboard.press("Enter");
	point(/mount overlay/.test(await text(page, ".details h3")), "Enter shows details");
	await page.keyboard.press("ArrowLeft");
	await page.keyboard.press("ArrowLeft");
	same(await rows(page, ".step"), 0, "left goes back and closes");
	await page.keyboard.press("e");
	point((await text(page, ".details dd.bad")).startsWith("E"), "e goes to the next failure");
	await page.keyboard.press("Escape");
	point(await page.locator(".details").isHidden(), "Esc closes");
	same(await page.locator(".row[tabindex='0']").count(), 1, "one row is in the order of tabs");
	same(page.said, [], "nothing on the console, no request");
	await page.close();
}

async function zoom() {
	const page = await open("docker-oom"), ticks = () => page.locator(".ruler text").allTextContents();
	const all = await ticks();
	await page.click("button:text-is('run')");
	const run = await ticks();
	point(JSON.stringify(all) !== JSON.stringify(run) && run[0] !== "0", "a part of its life can be looked at", run.join(" "));
	const box = await page.locator(".ruler svg").boundingBox();
	await page.mouse.move(box.x + box.width * .2, box.y + 10);
	await page.mouse.down();
	await page.mouse.move(box.x + box.width * .4, box.y + 10);
	await page.mouse.up();
	point(JSON.stringify(await ticks()) !== JSON.stringify(run), "dragging over the ruler looks closer");
	await page.locator(".ruler").dblclick();
	same(await ticks(), all, "a double click shows all");
	await page.close();
}

async function looks() {
	const paper = (page) => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
	const dark = await open("docker-oom", { colorScheme: "dark" }), light = await open("docker-oom", { colorScheme: "light" });
	same([await paper(light), await paper(dark)], ["rgb(255, 255, 255)", "rgb(18, 22, 28)"], "light and dark");
	await dark.emulateMedia({ media: "print" });
	same(await paper(dark), "rgb(255, 255, 255)", "paper is white");
	point(await dark.locator(".tools").isHidden(), "and has no buttons");
	const narrow = await open("docker-oom", { viewport: { width: 420, height: 800 } });
	point(await narrow.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "it fits a telephone");
	for (const width of [390, 620, 900, 1400]) {
		await narrow.setViewportSize({ width, height: 800 });
		const boxes = await narrow.locator(".ruler text").evaluateAll((all) => all.map((t) => t.getBoundingClientRect())
			.filter((b) => b.width > 0).map((b) => [Math.round(b.left), Math.round(b.right)]));
		point(boxes.length > 1 && boxes.every(([left], i) => !i || left > boxes[i - 1][1]), `${width} pixels: no label of the ruler ` +
			"lies on another", JSON.stringify(boxes));
	}
	const plain = await browser.newContext({ javaScriptEnabled: false }), page = await plain.newPage();
	await page.goto(`file://${directory}/docker-oom.html`);
	point(/killed by SIGKILL/.test(await page.locator("noscript").first().textContent()), "without scripts there is the picture");
	for (const p of [dark, light, narrow])
		same(p.said, [], "nothing on the console, no request");
	await browser.contexts().forEach((c) => c.close());
}

async function several() {
	const page = await open("runc-parallel");
	same(await page.locator(".list tbody tr").count(), 50, "a table of all containers");
	await page.click("th button:text-is('start')");
	const starts = await page.locator(".list tbody tr td:nth-child(3)").allTextContents();
	const ms = starts.map((s) => parseFloat(s) * (s.endsWith("µs") ? .001 : s.endsWith(" s") ? 1000 : 1));
	point(ms.every((v, i) => !i || v <= ms[i - 1]), "sorted by how long they took", starts.slice(0, 5).join(", "));
	same(await page.locator("th[aria-sort]").allTextContents(), ["start"], "and its head says so");
	const name = await text(page, ".list tbody tr td");
	await page.locator(".list tbody tr").first().click();
	same(await text(page, "article h1"), name, "a click shows that one");
	same(page.said, [], "nothing on the console, no request");
	await page.close();
}

async function hostile() {
	const page = await open("hostile"), name = await text(page, "article h1");
	point(name.startsWith("<script>alert(1)</script><img"), "a name that is markup is shown as it is", name);
	same(await page.locator("main script, main img, article svg[onload]").count(), 0, "and becomes none");
	await page.fill("#find", "<");
	for (const row of await page.locator(".row.step").all())
		await row.click();
	const all = await page.locator("body").innerText();
	point(!/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e\u200b\ufeff]/.test(all), "no control character, nothing that turns text around");
	same(page.said, [], "nothing ran, nothing was asked for");
	await page.close();
}

try {
	for (const part of [clicks, search, keys, zoom, several, hostile, looks])
		await part();
} catch (e) {
	point(false, "the page can be used", String(e.stack).split("\n").join("\n# "));
} finally {
	await browser.close();
}
console.log(`1..${count}`);
