/** What browsers are told about requests of pages elsewhere, by the CORS rules of the bucket that the path names. */
import type { CrossOrigin, CrossOriginRequest } from "../../../aws/service.ts";
import type { Reader } from "../../../store/database.ts";
import { s3Error } from "../errors.ts";
import { corsOf } from "../store-buckets.ts";
import { ruleFor, ruleHeaders } from "./rules.ts";
import type { CorsRule } from "./rules.ts";

const NOT_ALLOWED =
  "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.";

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/RESTOPTIONSobject.html */
export function crossOrigin(database: Reader): CrossOrigin {
  const rulesOf = async ({ path }: CrossOriginRequest): Promise<readonly CorsRule[] | undefined> => {
    const stored = await corsOf(database, decodeURIComponent(path.split("/", 2)[1] ?? ""));
    return stored === undefined ? undefined : (JSON.parse(stored) as CorsRule[]);
  };
  return {
    async preflight(request) {
      const origin = header(request, "origin");
      const method = header(request, "access-control-request-method");
      const headers = (header(request, "access-control-request-headers") ?? "")
        .split(",")
        .map((one) => one.trim())
        .filter((one) => one !== "");
      if (origin === undefined)
        throw s3Error("BadRequest", {}, "Insufficient information. Origin request header needed.");
      if (method === undefined)
        throw s3Error("BadRequest", {}, "Invalid Access-Control-Request-Method: null");
      const rules = await rulesOf(request);
      const members = {
        Method: method,
        ResourceType: request.path.split("/").length > 2 ? "OBJECT" : "BUCKET",
      };
      if (!rules)
        throw s3Error("AccessForbidden", members, "CORSResponse: CORS is not enabled for this bucket.");
      const rule = ruleFor(rules, { origin, method, headers });
      if (!rule) throw s3Error("AccessForbidden", members, NOT_ALLOWED);
      return ruleHeaders(rule, origin, headers);
    },
    async headers(request) {
      const origin = header(request, "origin") ?? "";
      const rules = await rulesOf(request);
      const rule = rules && ruleFor(rules, { origin, method: request.method, headers: [] });
      return rule ? ruleHeaders(rule, origin, []) : {};
    },
  };
}

function header({ headers }: CrossOriginRequest, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" ? value : value?.[0];
}
