// One chapter of @novu/js 3.19.2, unmodified, against a running novukit: `node inbox.mjs marks`.
// What is wrong ends the program; the last line says which calls were made.
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { Novu } from "@novu/js";
import { WebSocket } from "ws";

globalThis.WebSocket ??= WebSocket; // browsers have it, and Node from 22 on
const { NOVUKIT_URL: url, NOVUKIT_SECRET_KEY: secret, NOVUKIT_IDENTIFIER: applicationIdentifier } = process.env;
const [chapter, transport = "plain"] = process.argv.slice(2);
const ada = `ada-${chapter}-${transport.replace(/\W+/g, "-")}`;
const socket = {
  plain: { socketUrl: `${url.replace("http", "ws")}/v1/inbox/ws`, socketOptions: { socketType: "cloud" } },
  "socket.io": { socketUrl: url },
  "socket.io under /v1": { socketUrl: url, socketOptions: { path: "/v1/inbox/socket.io" } },
};
const open = (more = {}) => new Novu({ applicationIdentifier, subscriber: ada, apiUrl: url, ...socket[transport], ...more });

async function api(method, path, body) {
  const headers = { Authorization: `ApiKey ${secret}`, "Content-Type": "application/json" };
  const answer = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.status === 204 ? undefined : answer.json();
}

async function until(check, what) {
  for (const end = Date.now() + 15_000; Date.now() < end; await pause(20)) {
    const found = await check();
    if (found) return found;
  }
  assert.fail(`${what} did not come about`);
}

// The data of a call's result; its error ends the program.
async function told(result) {
  const { data, error } = await result;
  if (error) assert.fail(`${error.message}: ${error.originalError ?? ""}`);
  return data;
}

const count = async (novu, filter = {}) => (await told(novu.notifications.count(filter))).count;

// Triggers one workflow after the other, so that the newest is the last one, and gives the feed.
async function feed(novu, ...several) {
  for (const [name, payload] of several) {
    const before = await count(novu);
    await api("POST", "/v1/events/trigger", { name, to: ada, payload });
    await until(async () => (await count(novu)) > before, name);
  }
  return (await told(novu.notifications.list({ limit: 20, useCache: false }))).notifications;
}

const chapters = {
  async session() {
    const novu = open({ subscriber: { subscriberId: ada, firstName: "Ada", email: "ada@example.com", locale: "en_US" } });
    const opened = new Promise((resolve) => novu.on("session.initialize.resolved", resolve));
    assert.equal(await count(novu), 0);
    const { data, error } = await opened;
    assert.equal(error, undefined);
    assert.deepEqual(data.unreadCount, { total: 0, severity: { high: 0, medium: 0, low: 0, none: 0 } });
    assert.equal(data.isDevelopmentMode, true);
    assert.equal(data.maxSnoozeDurationHours, 2160);
    assert.equal(data.applicationIdentifier, applicationIdentifier);
    const stored = (await api("GET", `/v2/subscribers/${ada}`)).data;
    assert.deepEqual([stored.firstName, stored.email], ["Ada", "ada@example.com"]);

    const wrong = await open({ subscriberHash: "0".repeat(64) }).notifications.count();
    assert.match(wrong.error.message, /Failed to initialize session/);
    const unknown = await open({ applicationIdentifier: "nobody" }).notifications.count();
    assert.match(unknown.error.message, /Failed to initialize session/);
  },

  async list() {
    const novu = open();
    const notes = [1, 2, 3].map((n) => ["note", { title: `Note ${n}`, data: { n, kind: n % 2 ? "odd" : "even" } }]);
    const all = await feed(novu, ...notes, ["alarm", { title: "Fire" }]);
    assert.deepEqual(all.map((one) => one.subject), ["Fire", "Note 3", "Note 2", "Note 1"]);
    const [fire, note] = all;
    assert.deepEqual([fire.severity, note.severity, note.channelType], ["high", "none", "in_app"]);
    assert.deepEqual([note.tags, note.data, note.redirect], [["notes"], { n: 3, kind: "odd" }, { url: "/notes", target: "_self" }]);
    assert.deepEqual(note.primaryAction, { label: "Read it", isCompleted: false, redirect: { url: "/notes/1", target: "_self" } });
    assert.deepEqual([note.to.subscriberId, note.workflow.identifier, note.isRead], [ada, "note", false]);
    assert.ok(Date.parse(note.createdAt) > 0);

    const list = async (filter) => (await told(novu.notifications.list({ useCache: false, ...filter }))).notifications.map((n) => n.subject);
    const page = await told(novu.notifications.list({ limit: 2, useCache: false }));
    assert.equal(page.hasMore, true);
    assert.deepEqual(await list({ limit: 2, after: page.notifications[1].id }), ["Note 2", "Note 1"]);
    assert.deepEqual(await list({ limit: 2, offset: 3 }), ["Note 1"]);
    assert.deepEqual(await list({ tags: ["alarms"] }), ["Fire"]);
    assert.deepEqual(await list({ tags: { or: ["alarms", "notes"] } }), ["Fire", "Note 3", "Note 2", "Note 1"]);
    assert.deepEqual(await list({ tags: { and: [{ or: ["alarms", "x"] }, { or: ["notes"] }] } }), []);
    assert.deepEqual(await list({ severity: "high" }), ["Fire"]);
    assert.deepEqual(await list({ severity: ["none", "low"] }), ["Note 3", "Note 2", "Note 1"]);
    assert.deepEqual(await list({ data: { kind: "odd" } }), ["Note 3", "Note 1"]);
    assert.deepEqual(await list({ createdGte: Date.parse(note.createdAt), createdLte: Date.parse(fire.createdAt) }), ["Fire", "Note 3"]);

    await told(note.read());
    assert.deepEqual(await list({ read: true }), ["Note 3"]);
    const filters = [{ read: false, tags: ["notes"] }, { severity: "high", read: false }, { data: { kind: "even" } }, {}];
    const { counts } = await told(novu.notifications.count({ filters }));
    assert.deepEqual(counts.map((one) => one.count), [2, 1, 1, 4]);
    assert.deepEqual(counts.map((one) => JSON.stringify(one.filter)), filters.map((one) => JSON.stringify(one)));
  },

  async marks() {
    const novu = open();
    const [, , one] = await feed(novu, ["note", { title: "One" }], ["note", { title: "Two" }], ["note", { title: "Three" }]);
    const id = { notificationId: one.id };
    assert.equal((await told(novu.notifications.read(id))).isRead, true);
    assert.equal((await told(novu.notifications.unread(id))).isRead, false);
    await told(one.seen()); // `notifications.seen({notificationId})` fails in the client itself, wherever it is sent
    assert.equal(await count(novu, { seen: true }), 1);
    assert.equal((await told(novu.notifications.archive(id))).isArchived, true);
    assert.equal(await count(novu, { archived: true }), 1);
    assert.equal((await told(novu.notifications.unarchive(id))).isArchived, false);
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const snoozed = await told(novu.notifications.snooze({ ...id, snoozeUntil: until }));
    assert.deepEqual([snoozed.isSnoozed, Date.parse(snoozed.snoozedUntil)], [true, Date.parse(until)]);
    assert.equal(await count(novu, { snoozed: true }), 1);
    assert.equal((await told(novu.notifications.unsnooze(id))).isSnoozed, false);
    assert.equal((await told(novu.notifications.completePrimary(id))).primaryAction.isCompleted, true);
    assert.equal((await told(novu.notifications.revertPrimary(id))).primaryAction.isCompleted, false);
    assert.equal((await told(novu.notifications.completeSecondary(id))).secondaryAction.isCompleted, true);
    assert.equal((await told(novu.notifications.revertSecondary(id))).secondaryAction.isCompleted, false);
    await told(novu.notifications.delete(id));
    assert.equal(await count(novu), 2);
    const gone = await novu.notifications.read(id);
    assert.match(String(gone.error.originalError ?? gone.error.message), /404|There is no notification/);
  },

  async bulk() {
    const novu = open();
    const [alarm, three, , one] = await feed(
      novu, ["note", { data: { n: 1 } }], ["note", { data: { n: 2 } }], ["note", { data: { n: 3 } }], ["alarm", {}],
    );
    await told(novu.notifications.seenAll({ notificationIds: [one.id] }));
    assert.equal(await count(novu, { seen: true }), 1);
    await told(novu.notifications.seenAll({ tags: ["alarms"] }));
    assert.equal(await count(novu, { seen: true }), 2);
    await told(novu.notifications.seenAll());
    assert.equal(await count(novu, { seen: false }), 0);
    await told(novu.notifications.readAll({ data: { n: 3 } }));
    assert.deepEqual([await count(novu, { read: true }), await count(novu, { read: true, data: { n: 3 } })], [1, 1]);
    await told(novu.notifications.archiveAllRead());
    assert.equal(await count(novu, { archived: true }), 1);
    await told(novu.notifications.readAll({ tags: ["alarms"] }));
    assert.equal(await count(novu, { read: true, archived: false }), 1);
    await told(novu.notifications.archiveAll({ tags: { or: ["alarms"] } }));
    assert.equal(await count(novu, { archived: true }), 2);
    await told(novu.notifications.readAll());
    assert.equal(await count(novu, { read: false }), 0);
    await told(novu.notifications.deleteAll({ tags: ["alarms"] }));
    const left = (await told(novu.notifications.list({ limit: 20, useCache: false, archived: true }))).notifications;
    assert.deepEqual([left.map((n) => n.id), alarm.severity], [[three.id], "high"]);
    await told(novu.notifications.deleteAll());
    assert.equal((await told(novu.notifications.list({ useCache: false }))).notifications.length, 0);
  },

  async preferences() {
    const novu = open({ useCache: false });
    const [everywhere, ...workflows] = await told(novu.preferences.list());
    assert.deepEqual([everywhere.level, everywhere.enabled], ["global", true]);
    const names = workflows.map((one) => one.workflow.identifier).sort();
    assert.deepEqual(names, ["alarm", "note", "order", "reminder"], "critical workflows are not to be chosen");
    const all = await told(novu.preferences.list({ criticality: "all" }));
    assert.ok(all.some((one) => one.workflow?.critical && one.workflow.identifier === "security"));
    const tagged = await told(novu.preferences.list({ tags: ["orders"] }));
    assert.deepEqual(tagged.slice(1).map((one) => one.workflow.identifier), ["order"]);
    const severe = await told(novu.preferences.list({ severity: "high" }));
    assert.deepEqual(severe.slice(1).map((one) => one.workflow.identifier), ["alarm"]);

    const order = workflows.find((one) => one.workflow.identifier === "order");
    assert.deepEqual(order.channels, { email: true, in_app: true });
    assert.equal((await told(order.update({ channels: { email: false } }))).channels.email, false);
    assert.equal((await told(novu.preferences.update({ workflowId: order.workflow.id, channels: { email: true } }))).channels.email, true);
    assert.equal((await told(everywhere.update({ channels: { email: false } }))).level, "global");
    const shown = await told(novu.preferences.list());
    assert.equal(shown[0].channels.email, false);
    const changed = await told(novu.preferences.bulkUpdate([
      { workflowId: "note", channels: { in_app: false } }, { preference: order, channels: { in_app: false } },
    ]));
    assert.deepEqual(changed.map((one) => [one.workflow.identifier, one.channels.in_app]), [["note", false], ["order", false]]);
    await api("POST", "/v1/events/trigger", { name: "note", to: ada, payload: {} });
    const [alarm] = await feed(novu, ["alarm", { title: "Fire" }]);
    assert.deepEqual([await count(novu), alarm.subject], [1, "Fire"], "the channel that was switched off is not used");
  },

  async schedule() {
    const weekly = { monday: { isEnabled: true, hours: [{ start: "09:00 AM", end: "05:00 PM" }] } };
    const novu = open({ defaultSchedule: { isEnabled: true, weeklySchedule: weekly } });
    const first = await told(novu.preferences.schedule.get());
    assert.deepEqual([first.isEnabled, first.weeklySchedule.monday], [true, weekly.monday]);
    const friday = { friday: { isEnabled: true, hours: [{ start: "10:00 AM", end: "11:00 AM" }] } };
    const second = await told(novu.preferences.schedule.update({ isEnabled: true, weeklySchedule: friday }));
    assert.deepEqual(second.weeklySchedule.friday, friday.friday);
    const [everywhere] = await told(novu.preferences.list({ useCache: false }));
    assert.deepEqual([everywhere.schedule.isEnabled, everywhere.schedule.weeklySchedule.friday], [true, friday.friday]);
    assert.equal((await told(second.update({ isEnabled: false }))).isEnabled, false);
  },

  async subscriptions() {
    const novu = open();
    const topicKey = `news-${transport}`;
    assert.deepEqual(await told(novu.subscriptions.list({ topicKey })), []);
    assert.equal(await told(novu.subscriptions.get({ topicKey, identifier: `tk_${topicKey}:si_${ada}` })), null);
    const made = await told(novu.subscriptions.create({ topicKey, topicName: "News", identifier: "mine:1,2", preferences: ["note"] }));
    assert.equal(made.identifier, "mine:1,2");
    assert.deepEqual(made.preferences.map((one) => [one.workflow.identifier, one.enabled]), [["note", true]]);
    const [listed] = await told(novu.subscriptions.list({ topicKey }, { refetch: true }));
    assert.equal(listed.identifier, made.identifier);
    const found = await told(novu.subscriptions.get({ topicKey, identifier: made.identifier }, { refetch: true }));
    assert.equal(found.id, made.id);

    const off = await told(found.updatePreference({ workflowId: "note", value: false }));
    assert.equal(off.enabled, false);
    const before = await count(novu);
    await api("POST", "/v1/events/trigger", { name: "note", to: [{ type: "Topic", topicKey }], payload: {} });
    await feed(novu, ["alarm", {}]);
    assert.equal(await count(novu), before + 1, "a subscription that was switched off brings nothing");
    const [on] = await told(found.bulkUpdatePreferences([{ workflowId: "note", value: true }]));
    assert.equal(on.enabled, true);
    const rule = { "==": [{ var: "payload.title" }, "Wanted"] };
    assert.deepEqual((await told(found.updatePreference({ workflowId: "note", value: rule }))).condition, rule);
    for (const title of ["Unwanted", "Wanted"])
      await api("POST", "/v1/events/trigger", { name: "note", to: [{ type: "Topic", topicKey }], payload: { title } });
    await until(async () => (await count(novu)) === before + 2, "the one that was wanted");
    const updated = await told(novu.subscriptions.update({ topicKey, identifier: made.identifier, name: "My news", preferences: ["note", "order"] }));
    assert.deepEqual(updated.preferences.map((one) => one.workflow.identifier).sort(), ["note", "order"]);
    await told(novu.subscriptions.delete({ topicKey, identifier: made.identifier }));
    assert.deepEqual(await told(novu.subscriptions.list({ topicKey }, { refetch: true })), []);
  },

  async channels() {
    const novu = open();
    assert.deepEqual(await told(novu.channelConnections.list()), []);
    assert.deepEqual(await told(novu.channelEndpoints.list()), []);
    const oauth = await novu.channelConnections.generateConnectOAuthUrl({ integrationIdentifier: "slack" });
    assert.ok(oauth.error, "OAuth is refused in words");
  },

  async context() {
    const context = { tenant: "acme", app: { id: "x", data: { plan: "pro" } } };
    const [inside, outside] = [open({ context }), open()];
    assert.equal(await count(inside), 0);
    assert.equal(await count(outside), 0);
    await api("POST", "/v1/events/trigger", { name: "note", to: ada, payload: { title: "Inside" }, context });
    await until(async () => (await count(inside)) === 1, "the notification of the context");
    await feed(outside, ["note", { title: "Outside" }]);
    const titles = async (novu) => (await told(novu.notifications.list({ useCache: false }))).notifications.map((n) => n.subject);
    assert.deepEqual([await titles(inside), await titles(outside)], [["Inside"], ["Outside"]]);
  },

  // Live: what is told by the socket, and that nothing else is.
  async realtime() {
    const novu = open();
    const heard = { received: [], unread: [], unseen: [] };
    novu.on("notifications.notification_received", ({ result }) => heard.received.push(result));
    novu.on("notifications.unread_count_changed", ({ result }) => heard.unread.push(result));
    novu.on("notifications.unseen_count_changed", ({ result }) => heard.unseen.push(result));
    const connected = new Promise((resolve) => novu.on("socket.connect.resolved", resolve));
    assert.equal((await connected).error, undefined);
    await api("POST", "/v1/events/trigger", { name: "alarm", to: ada, payload: { title: "Fire", body: "Run" } });
    await until(() => heard.received.length && heard.unread.length && heard.unseen.length, "three events");
    const [fire] = heard.received;
    assert.deepEqual([fire.subject, fire.body, fire.severity, fire.to.subscriberId], ["Fire", "Run", "high", ada]);
    assert.deepEqual([fire.isRead, fire.isSeen, fire.isSnoozed], [false, false, false]);
    assert.deepEqual(heard.unread.at(-1), { total: 1, severity: { high: 1, medium: 0, low: 0, none: 0 } });
    assert.equal(heard.unseen.at(-1), 1);

    await api("POST", "/v1/events/trigger", { name: "note", to: ada, payload: { title: "Note" } });
    await until(() => heard.received.length === 2, "the note");
    const note = heard.received[1];
    assert.deepEqual(note.primaryAction, { label: "Read it", isCompleted: false, redirect: { url: "/notes/1", target: "_self" } });
    assert.deepEqual([note.secondaryAction.label, note.redirect], ["Later", { url: "/notes", target: "_self" }]);
    await told(note.read());
    await until(() => heard.unread.at(-1).total === 1 && heard.unseen.at(-1) === 1, "counters after a mark");
    assert.deepEqual((await told(novu.notifications.list({ useCache: false, read: true }))).notifications.map((n) => n.id), [note.id]);

    await novu.socket.disconnect();
    await api("POST", "/v1/events/trigger", { name: "note", to: ada, payload: {} });
    await until(async () => (await count(novu)) === 3, "the one that was not heard");
    assert.equal(heard.received.length, 2);
    await novu.socket.connect();
    await until(() => heard.unread.at(-1).total === 2, "the counters of who comes back");
    await novu.socket.disconnect();
  },
};

await chapters[chapter]();
console.log(JSON.stringify({ chapter, transport }));
process.exit(0); // the client keeps timers of its own
