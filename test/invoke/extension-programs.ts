/** Small extensions in three languages: each registers, subscribes to telemetry, and prints every event that it gets. */

export const NODE_EXTENSION = `#!/usr/bin/env node
import { createServer } from "node:http";
import { basename } from "node:path";
const name = basename(process.argv[1]);
const api = "http://" + process.env.AWS_LAMBDA_RUNTIME_API;
const registered = await fetch(api + "/2020-01-01/extension/register", { method: "POST", headers: { "Lambda-Extension-Name": name }, body: JSON.stringify({ events: ["INVOKE", "SHUTDOWN"] }) });
const headers = { "Lambda-Extension-Identifier": registered.headers.get("lambda-extension-identifier") };
const server = createServer(async (request, response) => {
  let body = ""; for await (const chunk of request) body += chunk;
  console.log(name, "telemetry", JSON.parse(body).map((each) => each.type).join(" "));
  response.end();
}).listen(0, "0.0.0.0");
await new Promise((resolve) => server.once("listening", resolve));
const subscribed = await fetch(api + "/2022-07-01/telemetry", { method: "PUT", headers, body: JSON.stringify({ schemaVersion: "2022-12-13", types: ["platform"], buffering: { timeoutMs: 25 }, destination: { protocol: "HTTP", URI: "http://sandbox.localdomain:" + server.address().port } }) });
console.log(name, "registered", registered.status, "subscribed", subscribed.status);
for (;;) {
  const event = await (await fetch(api + "/2020-01-01/extension/event/next", { headers })).json();
  console.log(name, event.eventType, event.requestId ?? event.shutdownReason);
  if (event.eventType === "SHUTDOWN") process.exit(0);
}
`;

export const PYTHON_EXTENSION = `#!/usr/bin/env python3
import json, os, sys, threading, urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
name = os.path.basename(sys.argv[0])
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"]
def call(method, path, headers={}, body=None):
    request = urllib.request.Request(api + path, method=method, headers=headers, data=None if body is None else json.dumps(body).encode())
    return urllib.request.urlopen(request)
def say(*words):
    print(name, *words, flush=True)
class Listener(BaseHTTPRequestHandler):
    def do_POST(self):
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        say("telemetry", *[each["type"] for each in told])
        self.send_response(200)
        self.end_headers()
    def log_message(self, *words):
        pass
registered = call("POST", "/2020-01-01/extension/register", {"Lambda-Extension-Name": name}, {"events": ["INVOKE", "SHUTDOWN"]})
headers = {"Lambda-Extension-Identifier": registered.headers["Lambda-Extension-Identifier"]}
server = HTTPServer(("0.0.0.0", 0), Listener)
threading.Thread(target=server.serve_forever, daemon=True).start()
subscribed = call("PUT", "/2022-07-01/telemetry", headers, {"schemaVersion": "2022-07-01", "types": ["platform"], "buffering": {"timeoutMs": 25}, "destination": {"protocol": "HTTP", "URI": "http://sandbox:%d/" % server.server_port}})
say("registered", registered.status, "subscribed", subscribed.status)
while True:
    event = json.load(call("GET", "/2020-01-01/extension/event/next", headers))
    say(event["eventType"], event.get("requestId", event.get("shutdownReason")))
    if event["eventType"] == "SHUTDOWN":
        sys.exit(0)
`;

/** It cannot listen: its subscription names a port on which nothing does, and its telemetry is given up. */
export const SHELL_EXTENSION = `#!/bin/bash
name=$(basename "$0")
api="http://$AWS_LAMBDA_RUNTIME_API"
: "\${TMPDIR:=/tmp}"
registered=$(curl -sS -o /dev/null -D "$TMPDIR/$name.head" -w '%{http_code}' -H "Lambda-Extension-Name: $name" -d '{"events":["INVOKE","SHUTDOWN"]}' "$api/2020-01-01/extension/register")
id=$(grep -i '^lambda-extension-identifier' "$TMPDIR/$name.head" | tr -d '\\r' | cut -d' ' -f2)
subscribed=$(curl -sS -o /dev/null -w '%{http_code}' -X PUT -H "Lambda-Extension-Identifier: $id" -d '{"schemaVersion":"2022-12-13","types":["platform"],"destination":{"protocol":"TCP","port":9}}' "$api/2022-07-01/telemetry")
echo "$name registered $registered subscribed $subscribed"
while true; do
  event=$(curl -sS -H "Lambda-Extension-Identifier: $id" "$api/2020-01-01/extension/event/next")
  echo "$name $event"
  case "$event" in *SHUTDOWN*) exit 0;; esac
done
`;

/** The beginning of a shell extension that registers for some events and then does what follows; \`next\` waits for one. */
export function shellExtension(events: string, script: string): string {
  return `#!/bin/bash
name=$(basename "$0")
api="http://$AWS_LAMBDA_RUNTIME_API/2020-01-01/extension"
: "\${TMPDIR:=/tmp}"
register() { curl -sS -o /dev/null -D "$TMPDIR/$name.head" -H "Lambda-Extension-Name: $name" -d '{"events":[${events}]}' "$api/register"; id=$(grep -i '^lambda-extension-identifier' "$TMPDIR/$name.head" | tr -d '\\r' | cut -d' ' -f2); }
next() { event=$(curl -sS -H "Lambda-Extension-Identifier: $id" "$api/event/next"); }
fail() { curl -sS -o /dev/null -X POST -H "Lambda-Extension-Identifier: $id" -H "Lambda-Extension-Function-Error-Type: $2" "$api/$1/error"; }
${script}`;
}

/** What an internal extension in Node begins with; its listener collects what telemetry it is told. */
export const INTERNAL_EXTENSION = `
import { createServer } from "node:http";
const api = (path) => "http://" + process.env.AWS_LAMBDA_RUNTIME_API + path;
const call = async (method, path, { id, headers = {}, body } = {}) => {
  const answer = await fetch(api(path), { method, headers: { ...(id ? { "Lambda-Extension-Identifier": id } : {}), ...headers }, body: body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body) });
  const text = await answer.text();
  let json; try { json = JSON.parse(text); } catch {}
  return { status: answer.status, id: answer.headers.get("lambda-extension-identifier"), text, json };
};
const register = (name, events, headers = {}) => call("POST", "/2020-01-01/extension/register", { headers: { "Lambda-Extension-Name": name, ...headers }, body: { events } });
const next = (id) => call("GET", "/2020-01-01/extension/event/next", { id });
const told = [];
const listen = () => new Promise((resolve) => {
  const server = createServer(async (request, response) => {
    let body = ""; for await (const chunk of request) body += chunk;
    told.push(...JSON.parse(body)); response.end();
  });
  server.listen(0, "0.0.0.0", () => { server.unref(); resolve(server.address().port); });
});
const subscribe = (id, port, more = {}) => call("PUT", "/2022-07-01/telemetry", { id, body: { schemaVersion: "2022-12-13", types: ["platform", "function"], buffering: { timeoutMs: 25 }, destination: { protocol: "HTTP", URI: "http://sandbox.localdomain:" + port }, ...more } });
`;
