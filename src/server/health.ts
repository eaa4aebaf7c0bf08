/** `/_lambent/health` (the process answers) and `/_lambent/ready` (requests are served). */
import type { IncomingMessage, ServerResponse } from "node:http";

/** Answers our own probe routes; false when the request is not for them. */
export function answerOwnRoutes(request: IncomingMessage, response: ServerResponse, ready: boolean): boolean {
  const path = request.url?.split("?", 1)[0];
  if (path === "/_lambent/health") return answer(response, 200, { status: "ok" });
  if (path === "/_lambent/ready")
    return answer(response, ready ? 200 : 503, { status: ready ? "ready" : "not ready" });
  return false;
}

function answer(response: ServerResponse, status: number, body: object): true {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(`${JSON.stringify(body)}\n`);
  return true;
}
