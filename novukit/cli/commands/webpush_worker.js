// Shows the push messages that novukit sends, and opens their address when they are clicked.
// Written by `novukit webpush worker`; it is yours to change. Serve it from the root of your site, over https:
// a service worker answers for the folder that it lies in.

self.addEventListener("push", (event) => event.waitUntil(show(read(event.data))));

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data?.url ?? "/"));
});

// A browser that gets a push must show something, or it takes the permission away: so this never fails.
function read(data) {
  try {
    const message = data.json();
    if (typeof message.title === "string") return message;
  } catch {}
  return { title: data?.text() || "News" };
}

async function show({ title, url, count, options = {} }) {
  // What has the same tag takes the place of what is shown.
  const data = { ...options.data, ...(url && { url }) };
  await self.registration.showNotification(title, { ...options, data });
  if (count !== undefined) {
    await navigator.setAppBadge?.(count).catch(() => {}); // 0 takes it away; few browsers show it
  }
}

async function open(address) {
  const url = web(address);
  if (!url) return;
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = windows.find((window) => window.url === url);
  return there ? there.focus() : self.clients.openWindow(url);
}

// The address as a whole one; none where it is no page of the web, such as javascript:…
function web(address) {
  try {
    const url = new URL(address, self.location.origin);
    return ["https:", "http:"].includes(url.protocol) ? url.href : undefined;
  } catch {
    return undefined;
  }
}
