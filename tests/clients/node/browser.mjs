// Novu's <Inbox/> in Chromium, as a person uses it: `node browser.mjs plain FOLDER-FOR-PICTURES`.
// The last line is what was seen; a console error, a page error and a failed request end it.
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { chromium } from "playwright-core";

const { NOVUKIT_URL: url, NOVUKIT_SECRET_KEY: secret, NOVUKIT_IDENTIFIER: identifier, PAGE, CHROMIUM } = process.env;
const [transport, pictures] = process.argv.slice(2);
const ada = `eva-${transport.replace(".", "-")}`;
const flags =
  "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking " +
  "--disable-component-update --disable-sync";

async function api(method, path, body) {
  const headers = { Authorization: `ApiKey ${secret}`, "Content-Type": "application/json" };
  const answer = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.status === 204 ? undefined : answer.json();
}

const trigger = (name, payload) => api("POST", "/v1/events/trigger", { name, to: ada, payload });
const base = `/v2/subscribers/${ada}/notifications`;
const counted = async (filter) =>
  (await api("GET", `${base}/count?filters=${encodeURIComponent(JSON.stringify([filter]))}`)).data[0].count;

async function until(check, what) {
  for (const end = Date.now() + 15_000; Date.now() < end; await pause(30)) if (await check()) return;
  assert.fail(`${what} did not come about`);
}

const browser = await chromium.launch({ executablePath: CHROMIUM, args: flags.split(" ") });
const trouble = [];

async function open(more = {}) {
  const page = await browser.newPage({ viewport: { width: 560, height: 720 }, deviceScaleFactor: 1 });
  page.setDefaultTimeout(15_000);
  page.on("console", (said) => said.type() === "error" && trouble.push(`console: ${said.text()}`));
  page.on("pageerror", (error) => trouble.push(`page: ${error.message}`));
  page.on("requestfailed", (request) => trouble.push(`failed: ${request.method()} ${request.url()}`));
  page.on("response", (told) => told.status() >= 400 && trouble.push(`${told.status()} ${told.url()}`));
  page.on("request", (request) => {
    const ours = [url, new URL(PAGE).origin].some((one) => request.url().startsWith(one)) || request.url().startsWith("data:");
    if (!ours) trouble.push(`outside: ${request.url()}`);
  });
  const opened = page.waitForEvent("websocket");
  await page.goto(`${PAGE}?${new URLSearchParams({ url, identifier, subscriber: ada, transport, ...more })}`);
  return [page, await opened];
}

const notifications = (page) => page.locator(".nv-notification:visible");
const one = (page, subject) => notifications(page).filter({ hasText: subject });
const subjects = (page) => page.locator(".nv-notification:visible .nv-notificationSubject").allTextContents();
const shows = (page, ...wanted) => until(async () => `${await subjects(page)}` === `${wanted}`, `a list of ${wanted}`);
const picture = (page, name) => page.screenshot({ path: `${pictures}/${name}.png` });
const seen = [];
const note = (what) => seen.push(what);

const [page, socket] = await open({ tabs: "" });
assert.match(socket.url(), transport === "plain" ? /\/v1\/inbox\/ws\?token=/ : /\/socket\.io\/\?token=/);
const bell = page.locator(".nv-inbox__popoverTrigger");
const dot = page.locator(".nv-bellDot");
await bell.waitFor();
assert.equal(await dot.count(), 0);

await trigger("note", { title: "Grace commented", body: "Shall we ship it on Friday?" });
await dot.waitFor();
note("the bell shows what arrives");
await bell.click();
await shows(page, "Grace commented");
note("the list");
await until(async () => (await counted({ seen: false })) === 0, "what is shown is seen");
note("seen");

await trigger("alarm", { title: "The disk is nearly full", body: "93 % of db-1 are in use." });
const fresh = page.locator(".nv-notificationsNewNotice__button, .nv-notificationListNewNotificationsNotice__button");
await until(async () => (await fresh.count()) > 0 || (await one(page, "The disk").count()) > 0, "a live arrival");
if (await fresh.count()) await fresh.first().click();
await shows(page, "The disk is nearly full", "Grace commented");
note("a live arrival in the open list");
await picture(page, `list-${transport}`);

await page.getByRole("tab", { name: /Alarms/ }).click();
await shows(page, "The disk is nearly full");
await page.getByRole("tab", { name: /Severe/ }).click();
await shows(page, "The disk is nearly full");
await page.getByRole("tab", { name: /All/ }).click();
await shows(page, "The disk is nearly full", "Grace commented");
note("tabs by tag and by severity");

await one(page, "The disk").hover();
await one(page, "The disk").locator(".nv-notificationRead__button").click();
await until(async () => (await counted({ read: true })) === 1, "a read notification");
await one(page, "The disk").locator(".nv-notificationDot").waitFor({ state: "detached" });
note("read");

await one(page, "Grace").getByRole("button", { name: "Read it" }).click();
await until(async () => (await api("GET", base)).data.find((n) => n.subject === "Grace commented").primaryAction.isCompleted, "a button that was pressed");
await until(() => page.url().endsWith("#/notes/1"), "the button's redirect");
note("an action button");

await bell.click({ force: true });
if (!(await page.locator(".nv-inboxHeader:visible").count())) await bell.click({ force: true });
await one(page, "Grace").hover();
await one(page, "Grace").locator(".nv-notificationSnooze__button").click();
await page.locator(".nv-notificationSnooze__dropdownItem").first().click();
await until(async () => (await counted({ snoozed: true })) === 1, "a snoozed notification");
await shows(page, "The disk is nearly full");
note("snooze");

await one(page, "The disk").hover();
await one(page, "The disk").locator(".nv-notificationArchive__button").click();
await until(async () => (await counted({ archived: true })) === 1, "an archived notification");
await until(async () => (await notifications(page).count()) === 0, "an empty list");
note("archive");

await page.locator(".nv-preferences__button").click();
await page.locator(".nv-preferencesContainer:visible, .nv-workflowContainer:visible").first().waitFor();
await page.getByText("An order").waitFor();
await picture(page, `preferences-${transport}`);
await page.getByText("An order").click();
await page.locator(".nv-workflowContainer", { hasText: "An order" }).locator(".nv-channelSwitch:visible").last().click();
const wanted = async () => (await api("GET", `/v2/subscribers/${ada}/preferences`)).data.workflows.find((w) => w.workflow.identifier === "order");
await until(async () => Object.values((await wanted()).channels).includes(false), "a channel that was switched off");
note("preferences");
await page.close();

await trigger("note", { title: "Alan mentioned you", body: "In «The halting problem», page 3." });
await trigger("alarm", { title: "The disk is full", body: "db-1 takes no more writes." });
await until(async () => (await counted({ read: false, snoozed: false })) >= 2, "two more");
const [night] = await open({ dark: "", tabs: "" });
await night.locator(".nv-inbox__popoverTrigger").click();
await until(async () => (await notifications(night).count()) === 2, "a dark list");
const paint = await night.locator(".nv-inboxContent").evaluate((element) => {
  for (let at = element; at; at = at.parentElement) {
    const color = getComputedStyle(at).backgroundColor;
    if (!/, 0\)$|transparent/.test(color)) return color;
  }
});
const light = Math.max(...paint.match(/[\d.]+/g).slice(0, 3).map(Number));
assert.ok(light < 70, `the dark list is ${paint}`);
await picture(night, `dark-${transport}`);
note("dark");

assert.deepEqual(trouble, []);
await browser.close();
console.log(JSON.stringify(seen));
