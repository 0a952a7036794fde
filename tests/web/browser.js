/* browser: Chromium at the end of a pipe: a line of JSON in, a line of JSON out */
"use strict";
const readline = require("readline");
const { chromium } = require(process.env.PLAYWRIGHT);

const seconds = Number(process.env.SECONDS || "20") * 1000;
let browser, page;
const complaints = [];

const orders = {
	async open({ url, dark, reduced, width = 1280, height = 800 }) {
		if (page)
			await page.context().close();
		const context = await browser.newContext({ viewport: { width, height },
			colorScheme: dark ? "dark" : "light", reducedMotion: reduced ? "reduce" : "no-preference" });
		page = await context.newPage();
		page.on("console", (message) => complaints.push(message.type() + ": " + message.text()));
		page.on("pageerror", (error) => complaints.push("error: " + error.message));
		page.on("dialog", (dialog) => { complaints.push("dialog"); dialog.dismiss(); });
		await page.goto(url);
	},
	/* Until the expression is true in the page, whose policy lets no waitForFunction in. */
	async until({ js }) {
		const end = Date.now() + seconds;
		let is, why;
		do {
			why = undefined;
			is = await page.evaluate(js).catch((error) => { why = error.message; });
			if (is === true)
				return true;
			await page.waitForTimeout(20);
		} while (Date.now() < end);
		return why || is;
	},
	async get({ js }) {
		return page.evaluate(js);
	},
	async press({ keys }) {
		for (const key of keys)
			await page.keyboard.press(key);
	},
	async shoot({ path }) {
		await page.screenshot({ path });
	},
	/* In how many frames within the page the text can be read. */
	async frames({ text }) {
		let n = 0;
		for (const frame of page.frames().slice(1))
			n += (await frame.evaluate("document.body ? document.body.innerText : ''").catch(() => "")).includes(text);
		return n;
	},
	async complaints() {
		return complaints.splice(0);
	},
};

(async () => {
	browser = await chromium.launch({ executablePath: process.env.CHROMIUM, 
		/* A name that somebody makes point here. */
		args: ["--no-sandbox", "--host-resolver-rules=MAP *.example 127.0.0.1"] });
	for await (const line of readline.createInterface({ input: process.stdin })) {
		const order = JSON.parse(line);
		let answer;
		try {
			answer = { is: await orders[order.do](order) };
		} catch (error) {
			answer = { error: String(error.message).split("\n")[0] };
		}
		process.stdout.write(JSON.stringify(answer) + "\n");
	}
	await browser.close();
})();
