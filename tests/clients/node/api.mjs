// The main line of @novu/api: what an application's server does in a day. Prints what it found, as JSON.
import { Novu } from "@novu/api";

const { NOVUKIT_URL: serverURL, NOVUKIT_SECRET_KEY: secretKey } = process.env;
const novu = new Novu({ secretKey, serverURL, retryConfig: { strategy: "none" } });
const found = {};

async function settle(transactionId) {
  for (;;) {
    const answer = await fetch(`${serverURL}/v1/events/trigger/${transactionId}`, {
      headers: { Authorization: `ApiKey ${secretKey}` },
    });
    const { data } = await answer.json();
    const ended = ["completed", "merged", "failed", "cancelled"];
    if (data.status === "expanded" && Object.keys(data.statuses).every((status) => ended.includes(status))) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function refused(work) {
  try {
    await work();
  } catch (error) {
    return { name: error.name, status: error.statusCode };
  }
  return null;
}

await novu.subscribers.create({ subscriberId: "js-ada", firstName: "Ada", email: "ada@example.org", data: { n: 1 } });
await novu.subscribers.createBulk({ subscribers: [{ subscriberId: "js-bob" }, { subscriberId: "js-ada" }] }).then(
  ({ result }) => (found.bulk = [result.created.length, result.updated.length]),
);
await novu.subscribers.patch({ lastName: "Lovelace" }, "js-ada");
found.subscriber = (await novu.subscribers.retrieve("js-ada")).result;
found.searched = (await novu.subscribers.search({ email: "ada@example.org", limit: 5 })).result.data.length;
await novu.subscribers.create({ subscriberId: "js:odd@id+x y" });
found.odd = (await novu.subscribers.retrieve("js:odd@id+x y")).result.subscriberId;

await novu.topics.create({ key: "js-team", name: "Team" });
found.joined = (await novu.topics.subscriptions.create({ subscriptions: ["js-ada", "js-bob"] }, "js-team")).result.meta;
found.members = (await novu.topics.subscriptions.list({ topicKey: "js-team" })).result.data.map(
  (one) => one.subscriber.subscriberId,
);

const team = { type: "Topic", topicKey: "js-team" };
const asked = { workflowId: "order", to: [team], payload: { number: 7 } };
const first = await novu.trigger(asked, "js-my-own-key");
const again = await novu.trigger(asked, "js-my-own-key");
found.trigger = first.result;
found.replayed = [JSON.stringify(first.result) === JSON.stringify(again.result), again.headers["idempotency-replay"]];
await settle(first.result.transactionId);
found.many = (
  await novu.triggerBulk({
    events: [
      { workflowId: "note", to: "js-ada", payload: { title: "Bulk" }, transactionId: "js-bulk" },
      { workflowId: "no-such", to: "js-ada", payload: {} },
    ],
  })
).result.map((one) => one.status);
await settle("js-bulk");
await novu.trigger({ workflowId: "reminder", to: "js-ada", payload: {}, transactionId: "js-cancel" });
found.cancelled = (await novu.cancel("js-cancel")).result;

const { transactionId } = first.result;
const sent = (await novu.messages.retrieve({ transactionId: [transactionId], limit: 20 })).result.data;
found.messages = sent.map((one) => `${one.channel} ${one.status}`).sort();
found.deleted = (await novu.messages.delete(sent[0].id)).result;
found.left = (await novu.messages.retrieve({ transactionId: [transactionId] })).result.data.length;
const activity = (await novu.notifications.list({ transactionId })).result.data;
found.activity = activity.map((one) => one.subscriber.subscriberId).sort();
found.jobs = (await novu.notifications.retrieve(activity[0].id)).result.jobs.map((job) => job.type).sort();

const inbox = (await novu.subscribers.notifications.list({ subscriberId: "js-ada", limit: 20 })).result.data;
found.inbox = inbox.map((one) => one.subject);
const bulk = inbox.find((one) => one.subject === "Bulk");
const read = await novu.subscribers.notifications.markAsRead({ subscriberId: "js-ada", notificationId: bulk.id });
found.read = read.result.isRead;
found.counts = (
  await novu.subscribers.notifications.count("js-ada", JSON.stringify([{ read: true }, { read: false }]))
).result.map((one) => one.count);

const changed = await novu.subscribers.preferences.update({ channels: { email: false }, workflowId: "order" }, "js-ada");
found.preference = changed.result.workflows.find((one) => one.workflow.identifier === "order").channels;

found.refused = {
  payload: await refused(() => novu.trigger({ workflowId: "order", to: "js-ada", payload: { number: "many" } })),
  workflow: await refused(() => novu.trigger({ workflowId: "no-such", to: "js-ada", payload: {} })),
  missing: await refused(() => novu.subscribers.retrieve("js-nobody")),
  exists: await refused(() => novu.subscribers.create({ subscriberId: "js-ada" }, true)),
  leftOut: await refused(() => novu.domains.list({})),
};
await novu.subscribers.delete("js-bob");
found.gone = await refused(() => novu.subscribers.retrieve("js-bob"));

console.log(JSON.stringify(found));
