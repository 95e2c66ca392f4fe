// SPDX-License-Identifier: Apache-2.0
// The waterfall of one container: rows of phases, actors and steps, bars, ruler, keys, search.
"use strict";

const SVG = "http://www.w3.org/2000/svg";

// Elements are made from text nodes alone: no name of a container ever becomes markup.
function el(tag, attributes, ...children) {
	const e = document.createElement(tag);
	for (const [key, value] of Object.entries(attributes || {})) {
		if (value !== null && value !== undefined && value !== false)
			e.setAttribute(key, value === true ? "" : value);
	}
	e.append(...children.filter((c) => c !== null && c !== undefined));
	return e;
}

function svg(tag, attributes, ...children) {
	const e = document.createElementNS(SVG, tag);
	for (const [key, value] of Object.entries(attributes || {}))
		e.setAttribute(key, value);
	e.append(...children);
	return e;
}

class Waterfall {
	constructor(container, onSelect) {
		this.c = container;
		this.onSelect = onSelect;
		this.open = new Set();
		this.found = null;
		this.words = [];
		this.failedOnly = false;
		this.rows = [];
		this.body = el("div", { role: "treegrid", "aria-label": "timeline", class: "rows" });
		this.ruler = el("div", { class: "ruler", title: "drag to look closer, double-click to see all" });
		this.lines = el("div", { class: "grid", "aria-hidden": "true" });
		this.root = el("div", { class: "fall" }, this.ruler, this.body, this.lines);
		const ranges = container.ranges(), whole = container.end;
		const run = ranges.find(([name]) => name === "run"), start = ranges.find(([name]) => name === "start");
		// A container that ran for hours was started in milliseconds: begin with what can be read.
		this.range = start && run && run[2] - run[1] > 4 * (whole - (run[2] - run[1])) ? start : ranges[0];
		this.listen();
		this.render();
	}

	// ---- what there is to show ----

	matches(step) {
		if (this.failedOnly && !step.failed)
			return false;
		if (!this.words.length)
			return true;
		if (step.haystack === undefined) {
			const actor = step.data.actor === null ? "" : this.c.words.actors[step.data.actor];
			step.haystack = [step.text, step.data.kind, step.data.phase, step.data.error || "", actor,
				JSON.stringify(step.data.detail)].join(" ").toLowerCase();
		}
		return this.words.every((word) => step.haystack.includes(word));
	}

	narrowed() {
		return this.failedOnly || this.words.length > 0;
	}

	stepRows(key, steps, level) {
		return steps.filter((s) => this.matches(s)).map((s) => ({ key: key + "/" + s.index, kind: "step", level, span: s,
			phase: s.data.phase, text: s.text, length: s.end > s.start || s.open || s.lost ? this.c.lengthOf(s) : "",
			failed: s.failed, more: s.data.error || "" }));
	}

	group(row, steps) {
		const children = this.narrowed() ? this.stepRows(row.key, steps, row.level + 1) : null;
		if (children && !children.length)
			return [];
		row.children = children || steps.length;
		row.expanded = children ? !this.open.has("-" + row.key) : this.open.has(row.key);
		return row.expanded ? [row, ...(children || this.stepRows(row.key, steps, row.level + 1))] : [row];
	}

	phaseRows() {
		return this.c.phases.flatMap((p, i) => this.group({ key: "p" + i, kind: "phase", level: 1, span: p,
			phase: p.data.phase, text: p.data.phase, length: p.end > p.start || p.open ? this.c.lengthOf(p) : "", percent: p.end > p.start,
			failed: p.data.failed > 0, more: this.sumUp(p) }, p.steps));
	}

	sumUp(p) {
		const counts = new Map();
		p.steps.forEach((s) => counts.set(s.data.kind, (counts.get(s.data.kind) || 0) + 1));
		const words = [...counts].map(([kind, n]) => this.c.words.kinds[kind] + (n > 1 ? " ×" + n : ""));
		return (p.data.failed ? p.data.failed + " failed, " : "") + words.join(", ");
	}

	actorRows() {
		const rows = [], children = (parent) => this.c.actors.filter((a) => a.data.parent === parent);
		const add = (actor, depth) => {
			rows.push(...this.group({ key: "a" + actor.index, kind: "actor", level: depth + 1, span: actor,
				phase: "none", text: actor.text, length: actor.data.shared ? "" : this.c.lengthOf(actor),
				more: actor.data.role + (actor.steps.length ? ", " + count(actor.steps.length, "step") : "") }, actor.steps));
			children(actor.index).forEach((a) => add(a, depth + 1));
		};
		children(null).forEach((a) => add(a, 0));
		if (this.c.orphans.length)
			rows.push(...this.group({ key: "a-", kind: "actor", level: 1, span: null, phase: "none", text: "not known by whom",
				length: "", more: "", orphans: this.c.orphans }, this.c.orphans));
		return rows;
	}

	otherRows() {
		const rows = [];
		if (this.narrowed())
			return rows;
		if (this.c.gaps.length)
			rows.push({ key: "gaps", kind: "gaps", level: 1, text: "untraced", phase: "none", length: duration(this.c.untraced()),
				percent: this.c.untraced(), more: count(this.c.gaps.length, "time") + " in which nothing was seen" });
		this.c.marks.forEach((m, i) => rows.push({ key: "m" + i, kind: "mark", level: 1, mark: m, phase: "none",
			text: m.text, length: "", more: "at " + duration(m.at) }));
		return rows;
	}

	// ---- drawing ----

	render() {
		const phases = this.phaseRows(), others = this.otherRows(), actors = this.actorRows();
		const part = (name) => el("div", { class: "part", role: "presentation" }, name);
		const shown = [];
		this.rows = [...phases, ...others, ...actors];
		if (phases.length || others.length)
			shown.push(part("phases"), ...[...phases, ...others].map((r) => this.makeRow(r)));
		if (actors.length)
			shown.push(part("who did it"), ...actors.map((r) => this.makeRow(r)));
		if (!this.rows.length)
			shown.push(el("div", { class: "empty" }, "No step matches."));
		this.body.replaceChildren(...shown);
		const chosen = this.rows.find((r) => r.key === this.chosen) || this.rows[0];
		if (chosen)
			chosen.element.tabIndex = 0;
		this.draw();
	}

	makeRow(row) {
		const text = el("span", { class: "text" }), label = el("span", { class: "label", role: "gridcell" });
		this.highlight(text, shown(row.text));
		label.style.paddingLeft = .3 + (row.level - 1) * .85 + "rem";
		label.append(el("span", { class: "twist" }, row.children ? row.expanded ? "▼" : "▶" : ""));
		if (row.kind === "phase" || row.kind === "step")
			label.append(el("span", { class: "dot" }));
		label.append(text);
		if (row.more)
			label.append(el("span", { class: "more" }, row.more));
		row.bar = svg("svg", { role: "gridcell", "aria-hidden": "true" });
		row.percentCell = el("span", { class: "pct", role: "gridcell" });
		row.element = el("div", { class: `row ${row.kind} p-${row.phase}${row.failed && row.kind === "step" ? " failed" : ""}`,
			role: "row", tabindex: -1, "data-key": row.key, "aria-level": row.level,
			"aria-expanded": row.children ? String(row.expanded) : null,
			"aria-selected": String(row.key === this.chosen), title: shown(row.text) },
		label, row.bar, el("span", { class: "dur", role: "gridcell" }, row.length), row.percentCell);
		return row.element;
	}

	highlight(target, text) {
		const lower = text.toLowerCase();
		let at = 0;
		while (this.words.length && lower.length === text.length) {
			const hits = this.words.map((w) => [lower.indexOf(w, at), w.length]).filter(([i]) => i >= 0).sort((a, b) => a[0] - b[0]);
			if (!hits.length)
				break;
			const [from, length] = hits[0];
			target.append(text.slice(at, from), el("mark", {}, text.slice(from, from + length)));
			at = from + length;
		}
		target.append(text.slice(at));
	}

	// Percent of the bar's width.
	x(ns) {
		const [, from, to] = this.range;
		return (ns - from) / (to - from) * 100;
	}

	rect(start, end, style, y, height) {
		if (this.x(end) < 0 || this.x(start) > 100)
			return [];
		// Cut to what is seen: a run of hours seen from its start would be a rectangle of millions of pixels.
		const left = Math.max(this.x(start), -1), right = Math.min(this.x(end), 101);
		const r = svg("rect", { class: style, x: left + "%", y, height, rx: 1.5 });
		r.style.width = `max(2px, ${right - left}%)`;
		return [r];
	}

	bars(row) {
		if (row.kind === "gaps")
			return this.c.gaps.flatMap((g) => this.rect(g.start, g.end, "bar-gap", 5, 12));
		if (row.kind === "mark")
			return this.markAt(row.mark);
		if (row.kind === "step")
			return this.rect(row.span.start, row.span.end, row.failed ? "bar-failed" : row.span.lost ? "bar-lost" :
				row.span.inferred ? "bar-span" : "bar-busy", 5, 12);
		const span = row.span, steps = row.span ? span.steps : row.orphans;
		const all = span ? this.rect(span.start, span.end, span.lost ? "bar-lost" : "bar-span", 8, 6) : [];
		for (const s of steps) {
			// A request that outlasts its phase waits: for the container to run, or to end.
			const end = row.kind === "phase" && s.end > span.end ? s.start : s.lost ? s.start : s.end;
			const r = this.rect(s.start, end, s.failed ? "bar-failed" : "bar-busy", 4, 14);
			if (row.kind === "actor" && r.length)
				r[0].classList.add("p-" + s.data.phase);
			all.push(...r);
		}
		return all;
	}

	markAt(mark) {
		const x = this.x(mark.at);
		if (x < 0 || x > 100)
			return [];
		const glyph = svg("svg", { x: x + "%", overflow: "visible" }, svg("path", { d: "M0 5 L5 16 L-5 16 Z",
			class: "bar-mark" + (mark.data.kind === "oom_kill" ? " oom" : "") }));
		glyph.style.overflow = "visible";
		return [glyph];
	}

	draw() {
		const [, from, to] = this.range;
		for (const row of this.rows) {
			row.bar.replaceChildren(...this.bars(row));
			if (row.percent && !(row.span && row.span.lost)) {
				const length = row.kind === "gaps" ? row.percent : row.span.end - row.span.start;
				row.percentCell.textContent = Math.round(length / this.c.end * 100) + "%";
			}
		}
		const text = svg("svg", {}), lines = svg("svg", {});
		const vertical = (at, style) => {
			if (at !== null && this.x(at) >= 0 && this.x(at) <= 100)
				lines.append(svg("line", { x1: this.x(at) + "%", x2: this.x(at) + "%", y1: 0, y2: "100%", class: style }));
		};
		ticks(from, to, 9).forEach((at, i) => {
			vertical(at, "tick");
			// Where there is little room the style leaves out the finer ones.
			text.append(svg("text", { x: this.x(at) + "%", y: 16, class: i % 4 === 0 ? "" : i % 2 === 0 ? "fine" : "finer",
				"text-anchor": this.x(at) > 95 ? "end" : this.x(at) < 3 ? "start" : "middle" }, at === 0 ? "0" : duration(at)));
		});
		vertical(this.c.started, "started");
		vertical(this.c.exited, "ended");
		this.c.marks.filter((m) => m.data.kind === "oom_kill").forEach((m) => vertical(m.at, "oom"));
		this.drag = svg("rect", { y: 0, height: "100%", width: 0 });
		lines.append(this.drag);
		this.ruler.replaceChildren(el("span", {}, "since the first sign"), text, el("span", { class: "dur" }), el("span", {}));
		this.lines.replaceChildren(lines);
	}

	zoom(range) {
		this.range = range;
		this.draw();
	}

	// ---- what a person does ----

	choose(row, focus) {
		const before = this.rows.find((r) => r.key === this.chosen) || this.rows.find((r) => r.element.tabIndex === 0);
		if (before) {
			before.element.tabIndex = -1;
			before.element.setAttribute("aria-selected", "false");
		}
		this.chosen = row.key;
		row.element.tabIndex = 0;
		row.element.setAttribute("aria-selected", "true");
		if (focus) {
			row.element.focus({ preventScroll: true });
			row.element.scrollIntoView({ block: "nearest" });
		}
	}

	// null: only the mark goes.
	unchoose() {
		const row = this.rows.find((r) => r.key === this.chosen);
		this.chosen = null;
		if (row)
			row.element.setAttribute("aria-selected", "false");
		return row;
	}

	toggle(row, expand) {
		const key = this.narrowed() ? "-" + row.key : row.key, open = this.narrowed() ? !expand : expand;
		if (open)
			this.open.add(key);
		else
			this.open.delete(key);
		this.chosen = row.key;
		this.render();
		this.choose(this.rows.find((r) => r.key === row.key), true);
	}

	// Opens what holds the step, and goes there.
	showStep(step) {
		const phase = this.c.phases.findIndex((p) => p.steps.includes(step));
		if (phase >= 0)
			this.open.add("p" + phase);
		this.render();
		const row = this.rows.find((r) => r.kind === "step" && r.span === step);
		if (row) {
			this.choose(row, true);
			this.onSelect(row);
		}
	}

	search(text) {
		this.words = text.toLowerCase().split(/\s+/).filter((w) => w);
		this.render();
		return this.c.steps.filter((s) => this.matches(s)).length;
	}

	onKey(event) {
		const at = this.rows.findIndex((r) => r.element === document.activeElement), row = this.rows[at];
		if (!row || event.altKey || event.ctrlKey || event.metaKey)
			return;
		const go = (i) => this.choose(this.rows[Math.max(0, Math.min(this.rows.length - 1, i))], true);
		const actions = {
			ArrowDown: () => go(at + 1), ArrowUp: () => go(at - 1), Home: () => go(0), End: () => go(this.rows.length - 1),
			PageDown: () => go(at + 15), PageUp: () => go(at - 15),
			ArrowRight: () => row.children && !row.expanded ? this.toggle(row, true) : go(at + 1),
			ArrowLeft: () => row.children && row.expanded ? this.toggle(row, false) :
				go(this.rows.slice(0, at).findLastIndex((r) => r.level < row.level && r.children)),
			Enter: () => this.press(row), " ": () => this.press(row),
		};
		if (actions[event.key]) {
			event.preventDefault();
			actions[event.key]();
		}
	}

	press(row) {
		this.choose(row, true);
		this.onSelect(row);
	}

	rowOf(event) {
		const element = event.target.closest(".row");
		return element && this.rows.find((r) => r.element === element);
	}

	listen() {
		this.body.addEventListener("click", (event) => {
			const row = this.rowOf(event);
			if (!row)
				return;
			if (row.children && event.target.closest(".label"))
				this.toggle(row, !row.expanded);
			this.press(this.rows.find((r) => r.key === row.key));
		});
		this.body.addEventListener("keydown", (event) => this.onKey(event));
		let from = null;
		const place = (event) => {
			const box = this.lines.firstChild.getBoundingClientRect();
			return Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
		};
		this.ruler.addEventListener("pointerdown", (event) => {
			from = place(event);
			this.ruler.setPointerCapture(event.pointerId);
		});
		this.ruler.addEventListener("pointermove", (event) => {
			if (from === null)
				return;
			const to = place(event);
			this.drag.setAttribute("x", Math.min(from, to) * 100 + "%");
			this.drag.setAttribute("width", Math.abs(to - from) * 100 + "%");
		});
		this.ruler.addEventListener("pointerup", (event) => {
			const to = place(event), [, start, end] = this.range, a = Math.min(from, to), b = Math.max(from, to);
			from = null;
			if (b - a > 0.004 && (b - a) * (end - start) > 50)
				this.zoom(["part", start + a * (end - start), start + b * (end - start)]);
			this.root.dispatchEvent(new Event("zoomed"));
		});
		this.ruler.addEventListener("dblclick", () => {
			this.zoom(this.c.ranges()[0]);
			this.root.dispatchEvent(new Event("zoomed"));
		});
	}
}
