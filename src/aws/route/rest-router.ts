/** Finds a REST service's operation by method, path, query constants and required query and header members. */
import type { IncomingHttpHeaders } from "node:http";
import type { OperationModel, ServiceModel } from "../model/model.ts";

export interface RestMatch {
  readonly operation: OperationModel;
  /** Decoded values of the path's labels. */
  readonly labels: Readonly<Record<string, string>>;
}

export interface RestRequest {
  readonly method: string;
  /** Still encoded; begins with the bucket for S3. */
  readonly path: string;
  readonly query: ReadonlyMap<string, readonly string[]>;
  readonly headers: IncomingHttpHeaders;
}

interface Segment {
  readonly kind: "literal" | "label" | "greedy";
  readonly text: string;
}

interface Route {
  readonly operation: OperationModel;
  readonly segments: readonly Segment[];
  readonly constants: readonly (readonly [name: string, value: string])[];
  readonly requiredQuery: readonly string[];
  readonly requiredHeaders: readonly string[];
  readonly rank: number;
}

/** Sent by the SDK for JavaScript alone, so it decides nothing. */
const IGNORED_CONSTANT = "x-id";

/** Compiles a service's routes, the most specific first. */
export function createRestRouter(model: ServiceModel): (request: RestRequest) => RestMatch | undefined {
  const operations = model.operationNames.flatMap((name) => model.operation(name) ?? []);
  const routes = operations.map(compileRoute).sort((a, b) => b.rank - a.rank);
  const byMethod = Map.groupBy(routes, (route) => route.operation.method);
  // Where a required member is missing, its operation still answers, so that validation can name it. S3 does not.
  const lenient = model.metadata.protocols[0] !== "restXml";
  return (request) => {
    const candidates = byMethod.get(request.method) ?? [];
    const segments = splitPath(request.path, lenient);
    return (
      firstMatch(
        candidates,
        segments,
        (route) => hasConstants(route, request) && hasRequired(route, request),
      ) ?? (lenient ? firstMatch(candidates, segments, (route) => hasConstants(route, request)) : undefined)
    );
  };
}

function splitPath(path: string, lenient: boolean): string[] {
  const segments = path.split("/").slice(1);
  // boto3 asks Lambda for "/2015-03-31/functions/". "/bucket/" is "/bucket", but "/bucket/folder/" names a key.
  if ((lenient || segments.length <= 2) && segments[segments.length - 1] === "") segments.pop();
  return segments;
}

function compileRoute(operation: OperationModel): Route {
  const [path = "/", query = ""] = operation.uri.split("?");
  const constants = query
    .split("&")
    .filter((pair) => pair !== "" && !pair.startsWith(`${IGNORED_CONSTANT}=`))
    .map((pair) => [pair.split("=", 1)[0] ?? "", pair.split("=")[1] ?? ""] as const);
  const members = operation.input?.members;
  const required = (operation.input?.required ?? []).flatMap((name) => members?.get(name) ?? []);
  // A label that the path lacks is bound to the host: S3's bucket, which is put first.
  const hostLabels = [...(members?.values() ?? [])].filter(
    (member) =>
      member.traits.httpLabel && !path.includes(`{${member.name}}`) && !path.includes(`{${member.name}+}`),
  );
  const prefix = hostLabels.map((member): Segment => ({ kind: "label", text: member.name }));
  const segments = [...prefix, ...path.split("/").filter(Boolean).map(compileSegment)];
  const requiredQuery = required.flatMap((member) => member.traits.httpQuery ?? []);
  const requiredHeaders = required.flatMap((member) => member.traits.httpHeader?.toLowerCase() ?? []);
  const discriminators = constants.length + requiredQuery.length + requiredHeaders.length;
  return {
    operation,
    segments,
    constants,
    requiredQuery,
    requiredHeaders,
    rank: rankOf(segments, discriminators),
  };
}

function compileSegment(text: string): Segment {
  if (!text.startsWith("{")) return { kind: "literal", text };
  if (text.endsWith("+}")) return { kind: "greedy", text: text.slice(1, -2) };
  return { kind: "label", text: text.slice(1, -1) };
}

/** Literals before labels before greedy labels, segment by segment; then whoever asks for more in query and headers. */
function rankOf(segments: readonly Segment[], discriminators: number): number {
  const weight = { literal: 3, label: 2, greedy: 1 } as const;
  const places = 12;
  let rank = 0;
  for (let i = 0; i < places; i++)
    rank = rank * 4 + weight[segments[i]?.kind ?? "greedy"] - (segments[i] ? 0 : 1);
  return rank * 64 + Math.min(discriminators, 63);
}

function firstMatch(
  routes: readonly Route[],
  segments: readonly string[],
  accepts: (route: Route) => boolean,
): RestMatch | undefined {
  for (const route of routes) {
    if (!mayMatch(route.segments, segments) || !accepts(route)) continue;
    const labels = matchSegments(route.segments, segments);
    if (labels) return { operation: route.operation, labels };
  }
  return undefined;
}

/** Whether the literals fit, which most routes' do not: asked first, since it costs next to nothing. */
function mayMatch(pattern: readonly Segment[], segments: readonly string[]): boolean {
  for (let at = 0; at < pattern.length; at++) {
    const part = pattern[at];
    if (part?.kind === "greedy") return true;
    if (part?.kind === "literal" && part.text !== segments[at]) return false;
  }
  return pattern.length === segments.length;
}

function hasConstants(route: Route, request: RestRequest): boolean {
  return route.constants.every(([name, value]) => {
    const found = request.query.get(name);
    return found !== undefined && (value === "" || found[0] === value);
  });
}

function hasRequired(route: Route, request: RestRequest): boolean {
  return (
    route.requiredQuery.every((name) => request.query.has(name)) &&
    route.requiredHeaders.every((name) => request.headers[name] !== undefined)
  );
}

function matchSegments(
  pattern: readonly Segment[],
  segments: readonly string[],
): Record<string, string> | undefined {
  const labels: Record<string, string> = {};
  for (let i = 0; i < pattern.length; i++) {
    const part = pattern[i];
    const text = segments[i];
    if (!part || text === undefined) return undefined;
    if (part.kind === "literal") {
      if (part.text !== text) return undefined;
    } else if (part.kind === "label") {
      if (text === "") return undefined;
      labels[part.text] = decodeURIComponent(text);
    } else return matchGreedy(part.text, pattern.slice(i + 1), segments.slice(i), labels);
  }
  return pattern.length === segments.length ? labels : undefined;
}

/** A greedy label takes all but the literals that follow it. */
function matchGreedy(
  name: string,
  rest: readonly Segment[],
  segments: readonly string[],
  labels: Record<string, string>,
): Record<string, string> | undefined {
  const end = segments.length - rest.length;
  if (end < 1 || rest.some((part, i) => part.text !== segments[end + i])) return undefined;
  const value = segments
    .slice(0, end)
    .map((part) => decodeURIComponent(part))
    .join("/");
  if (value === "") return undefined;
  labels[name] = value;
  return labels;
}
