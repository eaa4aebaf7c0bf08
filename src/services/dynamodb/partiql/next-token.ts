/** NextToken: where a read goes on, and which one it was. */
import { invalid } from "../errors.ts";
import { fingerprint } from "../items/fingerprint.ts";
import { decodeItem, encodeItem } from "../items/item-codec.ts";
import type { Attributes } from "../values/value.ts";

/** Which of the partitions comes next, and after which key in it. */
export interface ReadPosition {
  readonly partition: number;
  readonly after: Attributes | undefined;
}

/** What a token is only good for: the same statement with the same parameters. */
export function readIdentity(statement: unknown, parameters: unknown): string {
  return fingerprint([statement, parameters]).slice(0, 32);
}

export function writeNextToken(identity: string, { partition, after }: ReadPosition): string {
  const text = JSON.stringify([identity, partition, after ? encodeItem(after) : null]);
  return Buffer.from(text).toString("base64");
}

/** @throws AwsError ValidationException for a token that is none, or of another request */
export function readNextToken(token: string, identity: string): ReadPosition {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(token, "base64").toString());
    const [of, partition, after] = parsed as [unknown, unknown, unknown];
    if (
      typeof of === "string" &&
      typeof partition === "number" &&
      (after === null || typeof after === "string")
    ) {
      if (of !== identity) throw invalid("NextToken does not match request");
      return { partition, after: after === null ? undefined : decodeItem(after) };
    }
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof TypeError)) throw error;
  }
  throw invalid("Invalid NextToken");
}
