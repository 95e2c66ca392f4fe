// SPDX-License-Identifier: Apache-2.0
// What the page knows: the JSON timelines that it carries, in numbers that can be drawn. No DOM here.
"use strict";

const NS = { s: 1e9, ms: 1e6, us: 1e3 };

// Three significant digits and a unit, as ctrace prints durations everywhere.
function duration(ns) {
	if (ns === null || ns === undefined)
		return "?";
	if (ns < 1000)
		return Math.round(ns) + " ns";
	const three = (value) => value < 9.995 ? value.toFixed(2) : value < 99.95 ? value.toFixed(1) : value.toFixed(0);
	if (ns < 999500)
		return three(ns / NS.us) + " µs";
	if (ns < 999500000)
		return three(ns / NS.ms) + " ms";
	const s = ns / NS.s;
	if (s < 99.95)
		return three(s) + " s";
	const whole = Math.floor(s), two = (n) => String(n).padStart(2, "0");
	if (s < 3600)
		return Math.floor(whole / 60) + "m " + two(whole % 60) + "s";
	if (s < 86400)
		return Math.floor(whole / 3600) + "h " + two(Math.floor(whole / 60) % 60) + "m";
	return Math.floor(whole / 86400) + "d " + two(Math.floor(whole / 3600) % 24) + "h";
}

const count = (n, what) => n + " " + what + (n === 1 ? "" : "s");

function bytes(text) {
	const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
	let value = Number(text), unit = 0;
	while (value >= 1024 && unit + 1 < units.length) {
		value /= 1024;
		unit++;
	}
	return (Number.isInteger(value) ? value : value.toFixed(1)) + " " + units[unit];
}

// Texts are bytes (JSON_SCHEMA.md): those that are no UTF-8 come as U+EF00 + byte. Nothing may steer the reader's eyes.
function shown(text) {
	return String(text).replace(/[\uef80-\uefff]/g, (c) => "\\x" + (c.charCodeAt(0) - 0xef00).toString(16))
		.replace(/[\u0000-\u001f\u007f-\u009f]/g, (c) => "\\x" + c.charCodeAt(0).toString(16).padStart(2, "0"))
		.replace(/[\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
			(c) => "\\u{" + c.charCodeAt(0).toString(16) + "}");
}

class Container {
	constructor(data, index) {
		this.index = index;
		this.timeline = data.timeline;
		this.words = data.words;
		const t = this.timeline;
		this.base = BigInt(t.first_ns || "0");
		this.end = Math.max(this.at(t.last_ns) || 0, 1);
		this.started = this.at(t.started_ns);
		this.exited = t.exit ? this.at(t.exit.at_ns) : null;
		this.steps = t.steps.map((s, i) => this.makeSpan(s, { index: i, text: this.words.steps[i][0],
			why: this.words.steps[i][1] === null ? null : this.words.explanations[this.words.steps[i][1]] }));
		this.phases = t.phases.map((p, i) => this.makeSpan(p, { index: i }));
		this.phases.forEach((p) => {
			p.steps = this.steps.filter((s) => s.data.phase === p.data.phase && s.start >= p.start &&
				(p.open || s.start <= p.end));
		});
		this.actors = t.actors.map((a, i) => this.makeSpan(a, { index: i, text: this.words.actors[i],
			steps: this.steps.filter((s) => s.data.actor === i) }));
		this.orphans = this.steps.filter((s) => s.data.actor === null);
		this.gaps = t.gaps.map((g) => ({ data: g, start: this.at(g.start_ns), end: this.at(g.end_ns) }));
		this.marks = t.marks.map((m, i) => ({ data: m, at: this.at(m.at_ns), text: this.words.marks[i] }));
		this.failures = this.steps.filter((s) => s.failed).length;
	}

	// Nanoseconds since the first sign of the container; null = not known.
	at(ns) {
		return ns === null || ns === undefined ? null : Number(BigInt(ns) - this.base);
	}

	makeSpan(data, more) {
		const start = this.at(data.start_ns) || 0, open = data.end_edge === "open" || data.end_ns === null;
		const end = open ? this.end : this.at(data.end_ns);
		return Object.assign({ data, start, end: Math.max(end, start), open,
			lost: data.start_edge === "lost" || data.end_edge === "lost",
			inferred: data.start_edge === "inferred" || data.end_edge === "inferred",
			failed: typeof data.result === "number" && data.result < 0 }, more);
	}

	lengthOf(span) {
		if (span.lost)
			return "?";
		return (span.inferred ? "~" : "") + duration(span.end - span.start) + (span.open ? "+" : "");
	}

	// The parts of a life that are worth a look of their own.
	ranges() {
		const all = [["all", 0, this.end]];
		if (this.started !== null && this.started > 0)
			all.push(["start", 0, this.started]);
		if (this.started !== null)
			all.push(["run", this.started, this.exited === null ? this.end : this.exited]);
		if (this.exited !== null && this.end > this.exited)
			all.push(["teardown", this.exited, this.end]);
		return all.filter(([, from, to]) => to > from);
	}

	// The phases that took longest of the start; waiting for the client and running are no work.
	slowest() {
		const found = this.phases.filter((p) => !p.lost && !["run", "stop", "teardown"].includes(p.data.phase))
			.sort((a, b) => (b.end - b.start) - (a.end - a.start));
		return found.length ? found[0] : null;
	}

	untraced() {
		return this.gaps.reduce((sum, g) => sum + g.end - g.start, 0);
	}

	state() {
		if (this.words.failed)
			return "bad";
		return this.timeline.state === "exited" ? "good" : "busy";
	}

	command() {
		const first = this.timeline.actors.find((a) => a.role === "cli" && a.argv) ||
			this.timeline.actors.find((a) => (a.role === "engine" || a.role === "runtime") && a.argv && !a.shared);
		return first ? first.argv.map((word) => /^[\w@%+=:,./~-]+$/.test(word) ? word : shown("'" + word + "'")).join(" ") : null;
	}
}

// Ticks of the ruler: round distances, six to ten of them.
function ticks(from, to, count) {
	const rough = (to - from) / count, power = Math.pow(10, Math.floor(Math.log10(rough)));
	const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
	const found = [];
	for (let at = Math.ceil(from / step) * step; at <= to; at += step)
		found.push(at);
	return found;
}
