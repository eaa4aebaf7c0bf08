/** `/_lambent/metrics`: every service's metrics, for Prometheus. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Config } from "../config/index.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { PROMETHEUS_TYPE, prometheusText } from "../telemetry/prometheus.ts";
import { isLocal } from "./local-request.ts";

/**
 * Answers the metrics route; false when the request is not for it. Metrics name accounts and functions, and scrapers do not
 * sign: with authentication on, only this machine gets them.
 */
export function answerMetrics(
  metrics: Metrics,
  { auth }: Pick<Config, "auth">,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  if (request.url?.split("?", 1)[0] !== "/_lambent/metrics") return false;
  if (request.method !== "GET" && request.method !== "HEAD")
    response.writeHead(405, { allow: "GET, HEAD" }).end("Method not allowed\n");
  else if (auth === "on" && !isLocal(request))
    response
      .writeHead(403, { "content-type": "text/plain" })
      .end("With authentication on, metrics are answered to this machine only: scrape 127.0.0.1.\n");
  else void tell(metrics, response);
  return true;
}

async function tell(metrics: Metrics, response: ServerResponse): Promise<void> {
  await metrics.measure();
  response.writeHead(200, { "content-type": PROMETHEUS_TYPE }).end(prometheusText(metrics));
}
