// SPDX-License-Identifier: Apache-2.0
// The page around the waterfall: what became of the container, details, limits, marks, what was not seen.
"use strict";

const read = (element) => JSON.parse(element.textContent);
const header = read(document.getElementById("header"));
const summary = read(document.getElementById("summary"));
const containers = [...document.querySelectorAll("script.container")].map((e, i) => new Container(read(e), i));
const app = document.getElementById("app");

const nameOf = (c) => shown(c.timeline.name || (/^[0-9a-f]{64}$/.test(c.timeline.id) ? c.timeline.id.slice(0, 12) : c.timeline.id));
const wall = (ns) => ns === null ? "?" : new Date(Number((BigInt(ns) + BigInt(header.wall_offset_ns)) / 1000000n)).toISOString()
	.replace("T", " ").replace("Z", " UTC");

// ---- what was chosen ----

class Details {
	constructor() {
		this.root = el("aside", { class: "details", "aria-label": "details", tabindex: -1, hidden: true });
	}

	show(waterfall, row) {
		const c = waterfall.c, list = el("dl");
		this.list = list;
		this.waterfall = waterfall;
		let title = shown(row.text), why = null;
		if (row.kind === "step") {
			this.step(c, row.span);
			why = row.span.why;
		} else if (row.kind === "phase") {
			title = "phase " + title;
			this.phase(c, row.span);
		} else if (row.kind === "actor" && row.span) {
			this.actor(c, row.span);
		} else if (row.kind === "mark") {
			this.add("at", duration(row.mark.at) + "  (" + wall(row.mark.data.at_ns) + ")");
			this.detail(row.mark.data.detail);
		} else if (row.kind === "gaps") {
			this.gaps(c);
		} else {
			this.add("why", "the kernel does not say who made these changes (rtnetlink)");
		}
		const close = el("button", { class: "close", "aria-label": "close details", title: "close (Esc)" }, "×");
		close.addEventListener("click", () => app.dispatchEvent(new Event("closed")));
		this.root.replaceChildren(close, el("h3", {}, title), list);
		if (why)
			this.root.append(el("p", { class: "why" }, why));
		this.root.hidden = false;
	}

	add(name, value, style) {
		if (value === null || value === undefined || value === "")
			return;
		const cell = el("dd", { class: style || null });
		cell.append(...(Array.isArray(value) ? value : [value instanceof Node ? value : shown(value)]));
		this.list.append(el("dt", {}, name), cell);
	}

	link(text, go) {
		const a = el("a", { role: "button", tabindex: 0 }, shown(text));
		a.addEventListener("click", go);
		a.addEventListener("keydown", (event) => event.key === "Enter" && go());
		return a;
	}

	actorLink(c, index) {
		return this.link(c.words.actors[index] + "  " + c.timeline.actors[index].role, () => {
			const row = this.waterfall.rows.find((r) => r.key === "a" + index);
			if (row)
				this.waterfall.press(row);
		});
	}

	times(c, span, name) {
		const edge = { inferred: " (inferred)", lost: " (events were lost here: a bound)", observed: "", open: "" };
		this.add("begins", duration(span.start) + edge[span.data.start_edge]);
		if (span.open)
			this.add("ends", "goes on");
		else if (span.end > span.start)
			this.add("ends", duration(span.end) + edge[span.data.end_edge]);
		if (span.end > span.start || span.lost)
			this.add(name, span.lost ? "not known: an edge was lost" : c.lengthOf(span).replace(/^~/, "about ")
				.replace(/\+$/, " so far"));
	}

	step(c, s) {
		if (s.failed)
			this.add("failed", s.data.error + " (" + s.data.result + ")", "bad");
		this.add("kind", s.data.kind);
		this.add("phase", s.data.phase);
		if (s.data.actor !== null)
			this.add("by", this.actorLink(c, s.data.actor));
		this.times(c, s, "took");
		this.waits(s.data);
		this.add("wall clock", wall(s.data.start_ns));
		this.detail(s.data.detail);
	}

	// Where the time of calls went, as far as the kernel told.
	waits(d) {
		if (d.on_cpu_ns === undefined || d.blocked_ns === undefined)
			return;
		this.add("on a CPU", duration(Number(d.on_cpu_ns)));
		this.add("waited for one", duration(Number(d.run_queue_ns)));
		this.add("blocked", duration(Number(d.blocked_ns)));
		if (d.blocked_in && d.blocked_in.length)
			this.add("longest in", d.blocked_in.map((f) => el("span", { class: "flag" }, shown(f))));
	}

	detail(detail) {
		for (const [key, value] of Object.entries(detail)) {
			if (Array.isArray(value))
				this.add(key, value.map((v) => el("span", { class: "flag" }, shown(v))));
			else if (/_bytes$/.test(key))
				this.add(key.replace("_bytes", ""), bytes(value));
			else
				this.add(key.replace("_", " "), typeof value === "boolean" ? value ? "yes" : "no" : value);
		}
	}

	phase(c, p) {
		this.times(c, p, "spans");
		this.add("busy", duration(Number(p.data.busy_ns)) + ", covered by steps; the rest is untraced or waiting");
		this.waits(p.data);
		this.add("steps", String(p.data.steps));
		if (p.data.failed)
			this.add("failed", String(p.data.failed), "bad");
		const longest = p.steps.filter((s) => !s.lost && s.end > s.start).sort((a, b) => (b.end - b.start) - (a.end - a.start)).slice(0, 5);
		longest.forEach((s, i) => this.add(i ? "" : "longest", [duration(s.end - s.start) + "  ",
			this.link(s.text, () => this.waterfall.showStep(s))]));
	}

	actor(c, a) {
		const d = a.data;
		this.add("role", d.role + (d.shared ? ", serves more than this container" : ""));
		this.add("pid", d.pid + (d.ns_pid ? "  (" + d.ns_pid + " inside)" : ""));
		if (d.parent !== null)
			this.add("started by", this.actorLink(c, d.parent));
		this.add("program", d.exe);
		if (d.argv)
			this.add("command", el("code", {}, d.argv.map(shown).join(" ") + (d.argv_cut ? " …" : "")));
		if (!d.shared)
			this.times(c, a, "lived");
		if (d.on_cpu_ns !== null) {
			const cpu = Number(d.on_cpu_ns), queue = Number(d.run_queue_ns);
			this.add("on a CPU", duration(cpu));
			this.add("waited for one", duration(queue));
			if (!a.open && a.end - a.start > cpu + queue)
				this.add("slept", duration(a.end - a.start - cpu - queue) + " or more");
		}
		if (d.exit_status !== null)
			this.add("ended", d.exit_status & 127 ? "by signal " + (d.exit_status & 127) : "exit " + (d.exit_status >> 8),
				d.exit_status ? "bad" : null);
		this.add("steps", String(a.steps.length));
	}

	gaps(c) {
		this.add("in all", duration(c.untraced()));
		[...c.gaps].sort((a, b) => (b.end - b.start) - (a.end - a.start)).slice(0, 8).forEach((g) => this.add(duration(g.end - g.start),
			["from " + duration(g.start) + (g.data.before_actor === null ? "" : ", until "),
				g.data.before_actor === null ? "" : this.actorLink(c, g.data.before_actor)]));
	}
}

// ---- one container ----

function card(name, value, more, style) {
	return el("div", { class: "card" + (style ? " " + style : "") }, el("div", { class: "name" }, name),
		el("div", { class: "value" }, value), el("div", { class: "more" }, more || ""));
}

function cards(c) {
	const all = el("div", { class: "cards" }), slow = c.slowest();
	all.append(c.started === null ? card("start", "–", c.timeline.existed ? "was there before" : "its program never ran",
		c.timeline.existed ? "" : "bad") : card("start", duration(c.started), "until its program ran"));
	if (c.started !== null)
		all.append(card("run", duration((c.exited === null ? c.end : c.exited) - c.started) + (c.exited === null ? "+" : ""),
			c.exited === null ? "goes on" : "until it ended"));
	if (c.exited !== null)
		all.append(card("teardown", duration(c.end - c.exited), "until the last trace of it"));
	if (slow)
		all.append(card("longest phase", c.lengthOf(slow), slow.data.phase));
	all.append(card("untraced", duration(c.untraced()), "nothing seen, before its start"));
	all.append(card("failed calls", String(c.failures), "of " + count(c.steps.length, "step")));
	all.append(card("events lost", String(c.timeline.lost), c.timeline.lost ? "parts may be missing" : "nothing is missing",
		c.timeline.lost ? "bad" : ""));
	return all;
}

function head(c) {
	const t = c.timeline, facts = el("div", { class: "facts" });
	const add = (name, value) => value && facts.append(el("span", {}, name + " ", el("b", {}, shown(value))));
	const label = t.exit ? t.exit.signal ? "killed" : "exit " + t.exit.code : c.words.failed ? "failed" : t.state;
	add("id", /^[0-9a-f]{64}$/.test(t.id) ? t.id.slice(0, 12) : t.id);
	add("image", t.image);
	add("by", t.engine);
	add("with", t.runtime);
	add("pod", t.pod);
	add("on", header.host);
	add("began", wall(t.first_ns));
	const command = c.command(), limits = c.words.limits;
	return el("header", {}, el("div", { class: "top" }, el("h1", {}, nameOf(c)), el("span", { class: "chip " + c.state() }, label),
		t.exit && t.exit.oom ? el("span", { class: "chip bad" }, "out of memory") : null), facts,
	command ? el("div", { class: "command mono" }, shown(command)) : null,
	el("p", { class: "verdict" + (c.words.failed ? " bad" : "") }, shown(c.words.outcome)),
	limits ? el("p", { class: "note" }, "limits: " + shown(limits)) : null);
}

function table(title, heads, rows, empty) {
	const body = el("tbody");
	rows.forEach((row) => body.append(el("tr", {}, ...row.map((cell) => el("td", {}, cell instanceof Node ? cell : shown(cell))))));
	return el("section", {}, el("h2", {}, title), rows.length ? el("table", { class: "plain" },
		el("thead", {}, el("tr", {}, ...heads.map((h) => el("th", { scope: "col" }, h)))), body) : el("p", { class: "note" }, empty));
}

function limitRows(c) {
	const rows = c.timeline.limits.map((l) => [el("code", {}, shown(l.file)), el("code", {}, shown(l.value) +
		(/^memory\..*(bytes|max|high|low|min)$/.test(l.file) && /^\d+$/.test(l.value) ? "  (" + bytes(l.value) + ")" : "")),
	duration(c.at(l.at_ns))]);
	const t = c.timeline.throttling;
	if (t)
		rows.push(["CPU quota held it back", `${t.throttled} of ${t.periods} periods, ${duration(Number(t.throttled_ns))}`, ""]);
	return rows;
}

function losses(c) {
	const t = c.timeline, section = el("section", {}, el("h2", {}, "What may be missing"));
	const note = (text, bad) => section.append(el("p", { class: "note" + (bad ? " bad" : "") }, text));
	if (t.lost)
		note(count(t.lost, "event") + (t.lost === 1 ? " was" : " were") + " lost while it lived that may have been its own", true);
	if (c.words.cut)
		note(c.words.cut, true);
	if (c.words.blind)
		note(c.words.blind);
	if (summary.error)
		note("the recording is damaged or was cut short: " + shown(summary.error), true);
	if (!t.lost && !c.words.cut && !c.words.blind && !summary.error)
		note("Nothing was lost.");
	if (header.unseen.length) {
		const list = el("ul");
		header.unseen.forEach((u) => list.append(el("li", {}, shown(u.what) + ": " + shown(u.why))));
		section.append(el("details", {}, el("summary", { class: "note" }, "What this kernel does not let ctrace see (" +
			header.unseen.length + ")"), list));
	}
	return section;
}

function key() {
	const sample = (style, text) => {
		const s = svg("svg", { class: "p-request", "aria-hidden": "true" }, svg("rect", { class: style, x: 0, y: 1, width: 26, height: 8, rx: 1.5 }));
		return el("span", {}, s, text);
	};
	return el("div", { class: "key" }, sample("bar-busy", "steps seen"), sample("bar-span", "their span, or inferred (~)"),
		sample("bar-failed", "failed"), sample("bar-gap", "untraced"), el("span", {}, "? length not known"),
		el("span", { class: "help" }, el("kbd", {}, "/"), " find  ", el("kbd", {}, "↑"), " ", el("kbd", {}, "↓"), " ", el("kbd", {}, "←"), " ",
			el("kbd", {}, "→"), " move, open  ", el("kbd", {}, "Enter"), " details  ", el("kbd", {}, "e"), " next failure  ",
			el("kbd", {}, "Esc"), " close"));
}

// The tools above a waterfall: find, failures, parts of its life.
function tools(waterfall) {
	const found = el("span", { class: "found", role: "status" }), c = waterfall.c;
	const input = el("input", { type: "search", id: "find", placeholder: "find steps: mount overlay, EPERM, runc …",
		"aria-label": "find steps", autocomplete: "off", spellcheck: "false" });
	const failed = el("button", { "aria-pressed": "false", disabled: c.failures === 0 }, "failed (" + c.failures + ")");
	const group = el("span", { class: "group", role: "group", "aria-label": "part of its life" });
	const update = () => {
		const n = waterfall.search(input.value);
		found.textContent = waterfall.narrowed() ? n + " of " + count(c.steps.length, "step") : "";
	};
	const press = () => [...group.children].forEach((b) => b.setAttribute("aria-pressed",
		String(b.dataset.range === waterfall.range[0])));
	c.ranges().forEach((range) => {
		const b = el("button", { "data-range": range[0] }, range[0]);
		b.addEventListener("click", () => {
			waterfall.zoom(range);
			press();
		});
		group.append(b);
	});
	waterfall.root.addEventListener("zoomed", press);
	press();
	input.addEventListener("input", update);
	input.addEventListener("keydown", (event) => {
		if (event.key !== "Enter" && event.key !== "ArrowDown")
			return;
		const row = waterfall.rows.find((r) => r.kind === "step") || waterfall.rows[0];
		if (row)
			waterfall.press(row);
		event.preventDefault();
	});
	failed.addEventListener("click", () => {
		waterfall.failedOnly = !waterfall.failedOnly;
		failed.setAttribute("aria-pressed", String(waterfall.failedOnly));
		update();
	});
	return el("div", { class: "tools" }, input, failed, group, found);
}

let current = null;

function nextFailure() {
	const all = current.c.steps.filter((s) => s.failed);
	if (!all.length)
		return;
	const row = current.rows.find((r) => r.key === current.chosen);
	const after = row && row.kind === "step" ? row.span.index : -1;
	current.showStep(all.find((s) => s.index > after) || all[0]);
}

function show(c) {
	const details = new Details();
	const work = el("div", { class: "work" });
	const waterfall = new Waterfall(c, (row) => {
		details.show(waterfall, row);
		work.classList.add("open");
	});
	current = waterfall;
	current.close = () => {
		const row = waterfall.unchoose();
		details.root.hidden = true;
		work.classList.remove("open");
		if (row)
			row.element.focus();
	};
	work.append(el("div", {}, waterfall.root, key()), details.root);
	const part = el("article", { id: "container" }, head(c), cards(c), el("h2", {}, "Timeline"), tools(waterfall), work,
		el("div", { class: "tables" }, table("Limits", ["file", "value", "set after"], limitRows(c), "None was set."),
			table("Marks", ["after", "what"], c.marks.map((m) => [duration(m.at), m.text]), "None.")), losses(c));
	document.getElementById("container").replaceWith(part);
	document.title = nameOf(c) + ": " + shown(c.words.outcome) + " - ctrace";
}

// ---- several containers ----

function overview() {
	const first = containers.reduce((a, c) => c.base < a ? c.base : a, containers[0].base);
	const offset = (c) => Number(c.base - first), end = Math.max(...containers.map((c) => offset(c) + c.end));
	const columns = [["container", nameOf], ["outcome", (c) => c.words.outcome], ["start", (c) => c.started === null ? Infinity : c.started],
		["in all", (c) => c.end], ["longest phase", (c) => c.slowest() ? c.slowest().end - c.slowest().start : 0], ["when", offset]];
	const body = el("tbody"), rows = containers.map((c) => {
		const slow = c.slowest(), bar = svg("svg", { "aria-hidden": "true" }), at = (ns) => (offset(c) + ns) / end * 100;
		const piece = (from, to, style) => {
			const r = svg("rect", { class: "bar-busy " + style, x: at(from) + "%", y: 2, height: 10, rx: 1.5 });
			r.style.width = `max(1px, ${at(to) - at(from)}%)`;
			bar.append(r);
		};
		c.ranges().slice(1).forEach(([name, from, to]) => piece(from, to, { start: "p-request", run: "p-run", teardown: "p-teardown" }[name]));
		if (c.ranges().length === 1)
			piece(0, c.end, "p-none");
		const row = el("tr", { tabindex: 0, "aria-selected": "false" }, el("td", {}, nameOf(c)), el("td", {},
			el("span", { class: "chip " + c.state() }, shown(c.words.outcome))), el("td", { class: "number" }, c.started === null ? "–" :
			duration(c.started)), el("td", { class: "number" }, duration(c.end)), el("td", {}, slow ? c.lengthOf(slow) + "  " +
			slow.data.phase : "–"), el("td", { class: "bar" }, bar));
		const choose = () => {
			[...body.children].forEach((r) => r.setAttribute("aria-selected", String(r === row)));
			history.replaceState(null, "", "#" + (c.index + 1));
			show(c);
		};
		row.addEventListener("click", choose);
		row.addEventListener("keydown", (event) => {
			const other = event.key === "ArrowDown" ? row.nextSibling : event.key === "ArrowUp" ? row.previousSibling : null;
			if (event.key === "Enter")
				choose();
			else if (other)
				other.focus();
			else
				return;
			event.preventDefault();
		});
		return { c, row, choose };
	});
	let sorted = [5, 1];
	const sort = (column, direction) => {
		const value = columns[column][1];
		sorted = [column, direction];
		rows.sort((a, b) => {
			const x = value(a.c), y = value(b.c);
			return (x < y ? -1 : x > y ? 1 : a.c.index - b.c.index) * direction;
		});
		body.replaceChildren(...rows.map((r) => r.row));
		heads.forEach((head, i) => i === column ? head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending") :
			head.removeAttribute("aria-sort"));
	};
	const heads = columns.map(([name], i) => {
		const button = el("button", { title: "sort" }, name);
		button.addEventListener("click", () => sort(i, sorted[0] === i ? -sorted[1] : i > 1 && i < 5 ? -1 : 1));
		return el("th", { scope: "col", class: i === 2 || i === 3 ? "number" : null }, button);
	});
	sort(5, 1);
	const failures = containers.filter((c) => c.words.failed).length;
	app.append(el("div", { class: "top" }, el("h1", {}, containers.length + " containers"), failures ?
		el("span", { class: "chip bad" }, failures + " failed") : el("span", { class: "chip good" }, "none failed"),
	el("span", { class: "facts" }, "on " + shown(header.host) + ", " + duration(end) + " in all")),
	el("div", { class: "box" }, el("table", { class: "list" }, el("thead", {}, el("tr", {}, ...heads)), body)), el("h2", {}, "Container"));
	return rows;
}

// ---- the page ----

function hatch() {
	const pattern = svg("pattern", { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
		svg("line", { x1: 0, y1: 0, x2: 0, y2: 6 }));
	pattern.firstChild.style.stroke = "var(--gap)";
	pattern.firstChild.style.strokeWidth = "5";
	const holder = svg("svg", { width: 0, height: 0, "aria-hidden": "true" }, svg("defs", {}, pattern));
	holder.style.position = "absolute";
	return holder;
}

function start() {
	app.append(hatch());
	if (!containers.length) {
		app.append(el("h1", {}, "No container"), el("p", { class: "note" }, "The recording holds none that was asked for."));
	} else {
		const rows = containers.length > 1 ? overview() : null;
		app.append(el("article", { id: "container" }));
		const wanted = rows && rows.find((r) => String(r.c.index + 1) === location.hash.slice(1));
		if (rows)
			(wanted || rows[0]).choose();
		else
			show(containers[0]);
	}
	app.append(el("footer", {}, `ctrace ${shown(header.ctrace)} · ${shown(header.host)} · Linux ${shown(header.kernel)} ${shown(header.machine)} · ` +
		`${summary.events} events, ${summary.lost ? summary.lost + " lost" : "none lost"} · boot ${shown(header.boot_id)}`));
	app.addEventListener("closed", () => current && current.close());
	document.addEventListener("keydown", (event) => {
		const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
		if (event.key === "Escape" && current) {
			const find = document.getElementById("find");
			if (typing && find.value) {
				find.value = "";
				find.dispatchEvent(new Event("input"));
			} else if (typing) {
				find.blur();
			} else {
				current.close();
			}
		} else if (!typing && event.key === "/" && current) {
			event.preventDefault();
			document.getElementById("find").focus();
		} else if (!typing && event.key === "e" && current && !event.ctrlKey && !event.metaKey && !event.altKey) {
			nextFailure();
		}
	});
}

start();
