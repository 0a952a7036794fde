"use strict";

/*
 * The board of the station as tiles. Two rules: what a device says of itself is
 * text and nothing else, and what may no longer be true is not shown as if it were.
 */
const STATES = ["person", "failed", "ready", "working", "empty"];
const TONES = { good: "ready", person: "person", bad: "failed" };
const SVG = "http://www.w3.org/2000/svg";
const at = (id) => document.getElementById(id);

/* ---- small things ------------------------------------------------------------- */

function make(tag, className, text) {
	const element = document.createElement(tag);
	if (className)
		element.className = className;
	if (text !== undefined)
		element.textContent = text;
	return element;
}

function shape(name) {
	const svg = document.createElementNS(SVG, "svg");
	const use = document.createElementNS(SVG, "use");
	svg.setAttribute("aria-hidden", "true");
	use.setAttribute("href", "#shape-" + name);
	svg.append(use);
	return svg;
}

function setText(element, text) {
	if (element.textContent !== text)
		element.textContent = text;
}

function clock(time, seconds) {
	const date = new Date(time);
	if (Number.isNaN(date.getTime()))
		return "";
	return date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit",
		second: seconds ? "2-digit" : undefined, hour12: false });
}

function plural(n, one, many) {
	return n + " " + (n === 1 ? one : many);
}

/* ---- is what we show still true? ------------------------------------------------ */

const link = {
	source: null,
	opened: 0,		/* all of these on this page's own clock, in ms */
	heard: 0,
	beat: null,		/* the last sign of life, */
	beatAt: 0,		/* and when it came */
	boardAt: 0,
	ahead: 0,		/* the station's clock minus ours */
	broken: null,
};

function boardAge() {
	if (!link.beat || link.beat.board_age_ms === null || link.boardAt > link.beatAt)
		return performance.now() - link.boardAt;
	return link.beat.board_age_ms + performance.now() - link.beatAt;
}

/* live, connecting, lost, old, none or broken. */
function judge() {
	const patience = link.beat ? 3 * link.beat.every_ms : 15000;
	const silence = performance.now() - Math.max(link.heard, link.opened);

	if (link.broken)
		return "broken";
	if (!link.heard)
		return silence < 3000 && !link.failed ? "connecting" : "lost";
	if (link.failed || silence > patience)
		return "lost";
	if (!board)
		return "none";
	if (link.beat && boardAge() > link.beat.stale_ms)
		return "old";
	return "live";
}

function complaint(state) {
	const from = board ? clock(board.at) : "";
	const shown = from ? "What you see is from " + from + " and may be wrong. " : "";

	switch (state) {
	case "lost":
		return ["No connection to the station", shown + "Trying again…"];
	case "old":
		return ["The station stands still", shown + "It answers, but shows nothing new."];
	case "broken":
		return ["This page cannot show the board", "Reload it. " + link.broken];
	case "none":
		return ["The station is starting", ""];
	case "live":
		if (link.beat && !link.beat.healthy)
			return ["The station needs help", link.beat.why || ""];
	}
	return null;
}

function assess() {
	const state = judge(), said = complaint(state);

	if (document.body.dataset.link !== state) {
		document.body.dataset.link = state;
		for (const shown of tiles.values())
			drawShape(shown);
	}
	if (said) {
		at("alarm").querySelector("use").setAttribute("href", state === "live" ? "#shape-person" : "#shape-unknown");
		setText(at("alarm").querySelector("b"), said[0]);
		setText(at("alarm").querySelector("span"), said[1]);
	}
	at("alarm").hidden = !said;
	setText(at("pulse"), state === "live" ? "live · " + clock(Date.now() + link.ahead, true) :
		state === "connecting" ? "connecting…" : "");
	document.title = title(state);
	if (state === "lost" && performance.now() - link.opened > 5000)
		connect();	/* a connection can die without a word */
}

function title(state) {
	const station = board ? board.station : "Chaperone";

	if (state !== "live")
		return state === "connecting" ? station : "? " + station;
	const n = count(board.tiles);
	return [n.person && n.person + (n.person === 1 ? " needs you" : " need you"),
		n.failed && n.failed + " failed", n.ready && n.ready + " ready",
		station].filter(Boolean).join(" · ");
}

/* ---- the board --------------------------------------------------------------------- */

let board = null;
const tiles = new Map();	/* by id: what is on the page */

function stateOf(tile) {
	return STATES.includes(tile.state) ? tile.state : "unknown";
}

function count(list) {
	const n = { ready: 0, working: 0, person: 0, failed: 0, empty: 0, unknown: 0 };
	for (const tile of list)
		n[stateOf(tile)]++;
	return n;
}

/* Slots where they are; what has none, by who is wanted most and longest. */
function inOrder(list) {
	const rank = (tile) => (STATES.indexOf(stateOf(tile)) + 6) % 6;
	const text = new Intl.Collator("en", { numeric: true }).compare;

	return [...list].sort((a, b) => {
		if (a.slot !== null && b.slot !== null)
			return text(a.slot, b.slot) || text(a.id, b.id);
		if (a.slot !== null || b.slot !== null)
			return a.slot !== null ? -1 : 1;
		return rank(a) - rank(b) || text(a.since || "", b.since || "") || text(a.id, b.id);
	});
}

function nameOf(tile) {
	if (tile.slot !== null)
		return /^\d/.test(tile.slot) ? "Slot " + tile.slot : tile.slot;
	return tile.name || tile.model || "iPad";
}

function minutes(tile) {
	const since = Date.parse(tile.since);
	const n = Math.floor((Date.now() + link.ahead - since) / 60000);

	if (!(n >= 1) || tile.state === "empty")
		return "";
	return n < 120 ? n + " min" : n < 48 * 60 ? Math.floor(n / 60) + " h" : Math.floor(n / 1440) + " d";
}

function makeTile(tile) {
	const item = make("li"), button = make("button", "tile"), face = make("span", "face");
	const say = make("span", "say");

	button.type = "button";
	button.tabIndex = -1;
	button.dataset.id = tile.id;
	say.append(make("span", "word"), make("span", "detail"));
	face.append(make("span", "slot"), shape("unknown"), say, make("span", "who"));
	button.append(face);
	item.append(button);
	return { item, button, state: null };
}

/* A tick is for what is true now. */
function drawShape(shown) {
	const name = document.body.dataset.link === "live" || shown.state === "empty" ? shown.state : "unknown";

	shown.button.querySelector("use").setAttribute("href", "#shape-" + name);
}

function drawTile(shown, tile) {
	const state = stateOf(tile), title = tile.slot !== null ? tile.slot : tile.name || tile.model || "iPad";
	const part = (name) => shown.button.querySelector("." + name);
	const who = tile.slot !== null ? tile.name : tile.model;
	const detail = tile.detail || (state === "working" && tile.step) || "";

	if (shown.state !== state) {
		shown.button.className = "tile " + state;
		if (shown.state && (state === "person" || state === "failed"))
			shown.button.classList.add("new");
		shown.state = state;
		drawShape(shown);
	}
	setText(part("slot"), title);
	part("slot").classList.toggle("long", title.length > 3);
	setText(part("word"), tile.word || "");
	setText(part("detail"), detail);
	part("say").classList.toggle("long", detail.length > 18);
	setText(part("who"), [who, minutes(tile)].filter(Boolean).join(" · "));
	const label = [nameOf(tile), tile.word, detail, who].filter(Boolean).join(", ");
	if (shown.button.getAttribute("aria-label") !== label)
		shown.button.setAttribute("aria-label", label);
}

function drawTiles(list) {
	const grid = at("tiles"), ordered = inOrder(list), focused = document.activeElement;
	const ids = new Set(ordered.map((tile) => tile.id));

	for (const [id, shown] of tiles) {
		if (!ids.has(id)) {
			shown.item.remove();
			tiles.delete(id);
		}
	}
	ordered.forEach((tile, i) => {
		if (!tiles.has(tile.id))
			tiles.set(tile.id, makeTile(tile));
		const shown = tiles.get(tile.id);
		drawTile(shown, tile);
		if (grid.children[i] !== shown.item)
			grid.insertBefore(shown.item, grid.children[i] || null);
	});
	/* An element that is moved loses the focus. */
	if (focused && focused !== document.activeElement && focused.isConnected)
		focused.focus();
	keepOneTabStop();
	at("nothing").hidden = ordered.length > 0;
	grid.hidden = ordered.length === 0;
	arrange(ordered.length);
}

function drawList(list, items) {
	list.replaceChildren(...items);
	list.parentElement.hidden = items.length === 0;
}

function drawBeside() {
	const today = (board.counts && board.counts.today) || {};

	for (const cell of document.querySelectorAll("[data-count]"))
		setText(cell, String(today[cell.dataset.count] || 0));
	drawList(at("events").querySelector("ol"), (board.events || []).map((event) => {
		const item = make("li", event.tone);
		item.append(shape(TONES[event.tone] || "plain"), make("time", "", clock(event.at)),
			make("span", "", event.text));
		return item;
	}));
	drawList(at("worst").querySelector("ol"), (board.worst_slots || []).map((slot) => {
		const item = make("li");
		item.append(make("b", "", /^\d/.test(slot.slot) ? "Slot " + slot.slot : slot.slot),
			make("span", "", plural(slot.failures, "failure", "failures")));
		return item;
	}));
	drawList(at("policies").querySelector("ul"), (board.policies || []).map((policy) => {
		const item = make("li");
		item.append(make("b", "", policy.name), " ", make("small", "", policy.organization || ""));
		return item;
	}));
}

function draw() {
	const n = count(board.tiles);

	setText(at("station"), board.station);
	for (const state of ["ready", "working", "person", "failed"]) {
		const chip = document.querySelector("#summary ." + state);
		setText(chip.querySelector("b"), String(n[state]));
		chip.classList.toggle("none", n[state] === 0);
	}
	setText(document.querySelector("#summary .person span"), n.person === 1 ? "needs you" : "need you");
	setText(at("notice"), board.notice || "");
	at("notice").hidden = !board.notice;
	drawTiles(board.tiles);
	drawBeside();
	drawDetail();
}

/* ---- as large as they can be -------------------------------------------------------- */

function arrange(n) {
	const grid = at("tiles"), main = grid.parentElement, gap = 10;
	document.body.classList.toggle("many", n > 40);
	const width = main.clientWidth, high = main.clientHeight;
	const narrow = matchMedia("(max-width: 820px)").matches;
	/* In steps, so that not every device that comes moves all the others. */
	const room = [1, 2, 4, 6, 9, 12, 16, 20, 24, 30, 36, 42, 48, 54, 60, 66, 72].find((step) => step >= n) || n;
	let best = null;

	for (let columns = 1; columns <= room; columns++) {
		const rows = Math.ceil(room / columns);
		const w = (width - gap * (columns - 1)) / columns, h = (high - gap * (rows - 1)) / rows;
		const size = Math.min(w / 1.25, h, 400);
		if (!best || size > best.size)
			best = { columns, rows, size, h };
	}
	const scrolls = narrow || best.h < 78 || best.size < 70;
	const columns = scrolls ? Math.max(1, Math.floor((width + gap) / (narrow ? 116 : 118))) : best.columns;
	grid.style.setProperty("--columns", String(narrow ? Math.min(columns, Math.max(2, n)) : columns));
	grid.style.setProperty("--rows", String(scrolls ? 1 : best.rows));
	grid.style.setProperty("--highest", scrolls ? "112px" : "1fr");
	grid.style.setProperty("height", scrolls ? "auto" : "100%");
}

/* ---- without a mouse ------------------------------------------------------------------ */

function buttons() {
	return [...document.querySelectorAll(".tile")];
}

function keepOneTabStop() {
	const all = buttons();

	if (all.length > 0 && !all.some((button) => button.tabIndex === 0))
		all[0].tabIndex = 0;
}

function moveTo(button) {
	for (const other of buttons())
		other.tabIndex = other === button ? 0 : -1;
	button.focus();
}

function step(key, all, i) {
	const columns = getComputedStyle(at("tiles")).gridTemplateColumns.split(" ").length;

	switch (key) {
	case "ArrowRight": return i + 1;
	case "ArrowLeft": return i - 1;
	case "ArrowDown": return i + columns;
	case "ArrowUp": return i - columns;
	case "Home": return 0;
	case "End": return all.length - 1;
	}
	return -1;
}

at("tiles").addEventListener("keydown", (event) => {
	const all = buttons(), to = all[step(event.key, all, all.indexOf(document.activeElement))];

	if (to) {
		event.preventDefault();
		moveTo(to);
	}
});

/* ---- one device in full ------------------------------------------------------------------ */

let detailId = null;

function drawDetail() {
	const tile = board.tiles.find((one) => one.id === detailId);

	if (!at("detail").open)
		return;
	if (!tile)
		return at("detail").close();
	setText(at("detail-title"), nameOf(tile) + ": " + tile.word);
	const rows = [["What to do", tile.detail], ["Name", tile.name], ["Model", tile.model],
		["System", tile.os], ["Policy", tile.policy], ["Verdict", tile.verdict], ["Reason", tile.reason],
		["Step", tile.step], ["Since", clock(tile.since)],
		["Failures today", tile.failures_today ? String(tile.failures_today) : ""]];
	at("detail").querySelector("dl").replaceChildren(...rows.filter((row) => row[1]).flatMap((row) =>
		[make("dt", "", row[0]), make("dd", "", row[1])]));
}

at("tiles").addEventListener("click", (event) => {
	const button = event.target.closest(".tile");

	if (!button)
		return;
	moveTo(button);
	detailId = button.dataset.id;
	at("detail").showModal();
	drawDetail();
});
at("detail").addEventListener("click", (event) => {
	if (event.target === at("detail"))	/* beside it */
		at("detail").close();
});

/* ---- said aloud, with restraint -------------------------------------------------------------- */

const news = new Map();		/* by id: a sentence that was not spoken yet */
let speaking = null;

function note(before, after) {
	const old = new Map(before.map((tile) => [tile.id, tile]));

	for (const tile of after) {
		const was = old.get(tile.id);
		if (was && was.state === tile.state && was.detail === tile.detail)
			continue;
		if (["ready", "person", "failed"].includes(tile.state))
			news.set(tile.id, { state: tile.state, text: [nameOf(tile) + ": " + tile.word, tile.detail].filter(Boolean).join(", ") });
		else
			news.delete(tile.id);
	}
	if (news.size > 0 && !speaking)
		speaking = setTimeout(speak, 1500);
}

function speak() {
	const all = [...news.values()], of = (state) => all.filter((one) => one.state === state).length;

	speaking = null;
	news.clear();
	setText(at("spoken"), all.length <= 3 ? all.map((one) => one.text).join(". ") :
		[of("ready") && of("ready") + " ready to unplug", of("person") && of("person") + " need you",
			of("failed") && of("failed") + " failed"].filter(Boolean).join(", "));
}

/* ---- the stream ----------------------------------------------------------------------------------- */

function heard() {
	link.heard = performance.now();
	link.failed = false;
}

function onBoard(event) {
	heard();
	try {
		const next = JSON.parse(event.data), before = board;
		if (next.schema !== "chaperone.board/1")
			throw new Error("It is of another kind: " + next.schema);
		board = next;
		link.boardAt = performance.now();
		draw();
		link.broken = null;
		if (before)
			note(before.tiles, board.tiles);
	} catch (error) {
		link.broken = String(error.message);
	}
	assess();
}

function onBeat(event) {
	const beat = JSON.parse(event.data);

	heard();
	/* The program was exchanged: this page belongs to the old one. */
	if (link.beat && link.beat.page !== beat.page)
		location.reload();
	link.beat = beat;
	link.beatAt = link.heard;
	link.ahead = Date.parse(beat.at) - Date.now();
	assess();
}

function connect() {
	if (link.source)
		link.source.close();
	link.opened = performance.now();
	link.source = new EventSource("/events");
	link.source.addEventListener("board", onBoard);
	link.source.addEventListener("beat", onBeat);
	link.source.addEventListener("error", () => {
		link.failed = true;
		assess();
	});
}

setInterval(assess, 1000);
setInterval(() => board && drawTiles(board.tiles), 15000);	/* minutes pass */
document.addEventListener("visibilitychange", assess);
window.addEventListener("pageshow", assess);
new ResizeObserver(() => board && arrange(board.tiles.length)).observe(document.querySelector("main"));
connect();
