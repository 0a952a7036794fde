"use strict";
const stream = new EventSource("/events");
stream.addEventListener("board", (event) => {
	const board = JSON.parse(event.data);
	document.getElementById("station").textContent = board.station;
	document.getElementById("banner").textContent = "";
	document.getElementById("tiles").replaceChildren(...board.tiles.map((tile) => {
		const item = document.createElement("li");
		item.textContent = [tile.slot, tile.name, tile.word, tile.detail].filter(Boolean).join(" · ");
		return item;
	}));
});
stream.addEventListener("error", () => {
	document.getElementById("banner").textContent = "No connection to the station. This may be old.";
});
