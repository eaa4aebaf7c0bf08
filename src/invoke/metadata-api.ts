/** The metadata endpoint of one execution environment. https://docs.aws.amazon.com/lambda/latest/dg/configuration-metadata-endpoint.html */
import { timingSafeEqual } from "node:crypto";
import { errorReply, notFound, wrongMethod } from "./api-reply.ts";
import type { ApiReply } from "./api-reply.ts";
import type { HttpRequest } from "./http-request.ts";
import type { SandboxApiPart } from "./sandbox-api.ts";

export class MetadataApi implements SandboxApiPart {
  readonly prefix = "/2026-01-15/metadata";
  readonly #authorization: Buffer;
  readonly #availabilityZoneId: string;

  /** @param token What the environment finds in AWS_LAMBDA_METADATA_TOKEN. */
  constructor(token: string, availabilityZoneId: string) {
    this.#authorization = Buffer.from(`Bearer ${token}`);
    this.#availabilityZoneId = availabilityZoneId;
  }

  serve(request: HttpRequest, path: string): ApiReply {
    if (path !== "/execution-environment") return notFound();
    if (request.method !== "GET") return wrongMethod();
    const given = Buffer.from(request.headers.get("authorization") ?? "");
    if (given.length !== this.#authorization.length || !timingSafeEqual(given, this.#authorization))
      return errorReply(401, "Unauthorized", "Authorization should be Bearer $AWS_LAMBDA_METADATA_TOKEN");
    return {
      status: 200,
      headers: {
        "Content-Type": "application/json",
        "Cache-Control": "private, max-age=43200, immutable",
      },
      body: Buffer.from(JSON.stringify({ AvailabilityZoneID: this.#availabilityZoneId })),
    };
  }
}

/** AWS's words for directions, as the ids of its zones write them: `ap-southeast-2` is `apse2`. */
const DIRECTIONS: Readonly<Record<string, string>> = {
  north: "n",
  south: "s",
  east: "e",
  west: "w",
  central: "c",
  northeast: "ne",
  northwest: "nw",
  southeast: "se",
  southwest: "sw",
  gov: "g",
};

/** The id of a region's first zone: `use1-az1` for `us-east-1`. Where Lambent runs, a region is one zone. */
export function firstZoneId(region: string): string {
  const words = region.split("-").map((word) => DIRECTIONS[word] ?? word);
  return `${words.join("")}-az1`;
}
