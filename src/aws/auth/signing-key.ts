/** Derived signing keys, kept as KeyObjects: an HMAC with one costs a sixth of an HMAC with bytes. */
import { createHmac, createSecretKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import type { CredentialScope } from "./credential.ts";

const KEYS_MAX = 1_000;

export interface SigningKeys {
  get(secretAccessKey: string, scope: CredentialScope): KeyObject;
}

/** A cache of the least recently used; a key is derived once a day, region and service. */
export function createSigningKeys(): SigningKeys {
  const keys = new Map<string, KeyObject>();
  return {
    get(secretAccessKey, scope) {
      const name = `${secretAccessKey}/${scope.date}/${scope.region}/${scope.signingName}`;
      let key = keys.get(name);
      if (key) keys.delete(name);
      else {
        key = derive(secretAccessKey, scope);
        if (keys.size >= KEYS_MAX) keys.delete(keys.keys().next().value ?? "");
      }
      keys.set(name, key);
      return key;
    },
  };
}

function derive(secretAccessKey: string, { date, region, signingName }: CredentialScope): KeyObject {
  let key = Buffer.from(`AWS4${secretAccessKey}`, "utf8");
  for (const part of [date, region, signingName, "aws4_request"])
    key = createHmac("sha256", key).update(part).digest();
  return createSecretKey(key);
}
