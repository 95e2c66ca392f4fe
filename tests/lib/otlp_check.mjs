// SPDX-License-Identifier: Apache-2.0
// Holds OTLP payloads against the message classes that OpenTelemetry generated from its own definitions, and against
// the JSON timelines of the same recording.
//
// Usage: node otlp_check.mjs GENERATED PROTOBUF [JSON [TIMELINES]]
//
// Verifies and decodes PROTOBUF; JSON must be the same message in OTLP's JSON. Prints what is wrong and exits with 1.
import { createRequire } from "module";
import fs from "fs";

const [generated, protobuf, json, timelines] = process.argv.slice(2);
const { opentelemetry } = createRequire(import.meta.url)(generated);
const Request = opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;

function fail(why) {
	console.log(why);
	process.exit(1);
}

const bytes = fs.readFileSync(protobuf), message = Request.decode(bytes);
const wrong = Request.verify(message);
if (wrong)
	fail(`protobuf: ${wrong}`);
const plain = Request.toObject(message, { longs: String, enums: Number, bytes: String });
// Encoded again it has the same length: no field was unknown, none was there twice.
if (Request.encode(message).finish().length !== bytes.length)
	fail(`protobuf: ${bytes.length} bytes, encoded again ${Request.encode(message).finish().length}`);

const hex = (base64) => Buffer.from(base64, "base64").toString("hex");
function toOtlpJson(value, key) {
	if (Array.isArray(value))
		return value.map((v) => toOtlpJson(v));
	if (value === null || typeof value !== "object")
		return ["traceId", "spanId", "parentSpanId"].includes(key) ? hex(value) : value;
	// The generated class nests keys in its own order; absent lists and empty ones are the same.
	return Object.fromEntries(Object.keys(value).sort().map((k) => [k, toOtlpJson(value[k], k)])
		.filter(([, v]) => !(Array.isArray(v) && !v.length)));
}

if (json) {
	const got = JSON.parse(fs.readFileSync(json, "utf8"));
	const sorted = (value) => Array.isArray(value) ? value.map(sorted) : value === null || typeof value !== "object" ? value :
		Object.fromEntries(Object.keys(value).sort().map((k) => [k, sorted(value[k])])
			.filter(([, v]) => !(Array.isArray(v) && !v.length)));
	const a = JSON.stringify(sorted(got)), b = JSON.stringify(toOtlpJson(plain));
	if (a !== b) {
		const at = [...a].findIndex((c, i) => c !== b[i]);
		fail(`JSON and protobuf differ: ${a.slice(at - 60, at + 60)} | ${b.slice(at - 60, at + 60)}`);
	}
	check(got);
}

// What every payload must be like, whatever it tells.
function check(payload) {
	const spans = payload.resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans));
	const ids = new Set(spans.map((s) => s.spanId)), traces = new Set(spans.map((s) => s.traceId));
	if (ids.size !== spans.length)
		fail("two spans have one id");
	const digits = (text, n) => new RegExp(`^[0-9a-f]{${n}}$`).test(text) && !/^0*$/.test(text);
	for (const s of spans) {
		if (!digits(s.traceId, 32) || !digits(s.spanId, 16) || (s.parentSpanId !== undefined && !digits(s.parentSpanId, 16)))
			fail(`ids of ${JSON.stringify(s)}`);
		if (BigInt(s.endTimeUnixNano) < BigInt(s.startTimeUnixNano))
			fail(`${s.name} ends before it begins`);
		if (!s.name || ![1, 2, 3].includes(s.kind))
			fail(`name or kind of ${JSON.stringify(s)}`);
		const parent = spans.find((p) => p.spanId === s.parentSpanId);
		if (s.parentSpanId && !parent)
			fail(`${s.name} has a parent that is not there`);
		if (parent && parent.traceId !== s.traceId)
			fail(`${s.name} is of another trace than its parent`);
	}
	for (const r of payload.resourceSpans) {
		if (!r.resource.attributes.find((a) => a.key === "service.name")?.value.stringValue)
			fail("a resource without a service.name");
	}
	const roots = spans.filter((s) => !s.parentSpanId);
	if (roots.length !== traces.size)
		fail(`${roots.length} roots of ${traces.size} traces`);
	if (timelines)
		agree(roots, spans);
}

function agree(roots, spans) {
	const shown = fs.readFileSync(timelines, "utf8").trim().split("\n").map((l) => JSON.parse(l)).filter((t) => t.type === "timeline");
	if (shown.length !== roots.length)
		fail(`${roots.length} traces of ${shown.length} containers`);
	for (const t of shown) {
		const root = roots.find((s) => s.spanId === t.span_id && s.traceId === t.trace_id);
		if (!root)
			fail(`no root span ${t.span_id} of ${t.id}`);
		if (t.started_ns && !t.existed && BigInt(root.endTimeUnixNano) - BigInt(root.startTimeUnixNano) !==
			BigInt(t.started_ns) - BigInt(t.first_ns))
			fail(`the start of ${t.id} has another length`);
		const value = (s, key) => Number(s.attributes.find((a) => a.key === key)?.value.intValue ?? 0);
		const mine = spans.filter((s) => s.traceId === t.trace_id);
		const steps = mine.reduce((sum, s) => sum + value(s, "ctrace.steps"), 0);
		if (steps !== t.steps.length)
			fail(`${steps} steps of ${t.steps.length} of ${t.id}`);
		for (const key of ["on_cpu_ns", "run_queue_ns", "blocked_ns"]) {
			const phases = mine.filter((s) => s.attributes.some((a) => a.key === "ctrace.phase"));
			const told = phases.reduce((sum, s) => sum + value(s, "ctrace." + key), 0);
			const known = t.steps.reduce((sum, s) => sum + Number(s[key] ?? 0), 0);
			if (told !== known)
				fail(`${key} of ${t.id} is ${told}, in the timeline ${known}`);
		}
		const blocked = mine.flatMap((s) => s.events ?? []).filter((e) => e.name === "blocked").length;
		const long = t.steps.filter((s) => s.longest_block_ns).length;
		if (blocked !== long && blocked < 64)
			fail(`${blocked} events of long waits of ${long} of ${t.id}`);
		const failed = mine.reduce((sum, s) => sum + value(s, "ctrace.failed"), 0);
		if (failed !== t.steps.filter((s) => s.result < 0).length)
			fail(`${failed} failed steps of ${t.id}`);
	}
}
