// A page with Novu's <Inbox/>, as an application has it. What it is to show is in its URL.
import { Inbox } from "@novu/react";
import { dark } from "@novu/react/themes";
import { createRoot } from "react-dom/client";

const asked = new URLSearchParams(location.search);
const url = asked.get("url");
const socket =
  asked.get("transport") === "socket.io"
    ? { socketUrl: url }
    : { socketUrl: `${url.replace("http", "ws")}/v1/inbox/ws`, socketOptions: { socketType: "cloud" } };
const tabs = [
  { label: "All", filter: { tags: [] } },
  { label: "Alarms", filter: { tags: ["alarms"] } },
  { label: "Severe", filter: { severity: ["high"] } },
];

document.body.classList.toggle("dark", asked.has("dark"));
createRoot(document.getElementById("root")).render(
  <Inbox
    applicationIdentifier={asked.get("identifier")}
    subscriber={{ subscriberId: asked.get("subscriber"), firstName: "Ada" }}
    backendUrl={url} // `apiUrl`, which its types have too, is not handed on by 3.19.2
    {...socket}
    tabs={asked.has("tabs") ? tabs : undefined}
    appearance={asked.has("dark") ? { baseTheme: dark } : undefined}
    routerPush={(path) => (location.hash = path)}
  />,
);
