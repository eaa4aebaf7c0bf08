/** Makes the key and the certificate of one's own that messages are signed with: nobody vouches for it but the server that serves it. */
import { createHash, generateKeyPair, sign } from "node:crypto";
import { promisify } from "node:util";
import type { SigningRow } from "../store/signing.ts";
import {
  NULL,
  bitString,
  boolean,
  explicit,
  generalizedTime,
  integer,
  objectId,
  octetString,
  sequence,
  set,
  utf8String,
} from "./der.ts";

const KEY_BITS = 2048;
const COMMON_NAME = "sns.amazonaws.com";
const YEAR_MS = 365 * 24 * 3_600_000;
const VALID_YEARS = 30;
const DAY_MS = 24 * 3_600_000;

const SHA256_WITH_RSA = sequence(objectId("1.2.840.113549.1.1.11"), NULL);
const COMMON_NAME_ID = "2.5.4.3";
const BASIC_CONSTRAINTS = "2.5.29.19";

/** @param serial Hexadecimal. @param now Epoch milliseconds. */
export async function makeCertificate(serial: string, now: number): Promise<SigningRow> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: KEY_BITS });
  const name = sequence(set(sequence(objectId(COMMON_NAME_ID), utf8String(COMMON_NAME))));
  // A clock that is a little slow elsewhere does not find it invalid.
  const validity = sequence(generalizedTime(now - DAY_MS), generalizedTime(now + VALID_YEARS * YEAR_MS));
  const noAuthority = sequence(objectId(BASIC_CONSTRAINTS), boolean(true), octetString(sequence()));
  const body = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(Buffer.from(`01${serial}`, "hex")),
    SHA256_WITH_RSA,
    name,
    validity,
    name,
    publicKey.export({ type: "spki", format: "der" }),
    explicit(3, sequence(noAuthority)),
  );
  const certificate = sequence(body, SHA256_WITH_RSA, bitString(sign("sha256", body, privateKey)));
  return {
    private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
    certificate: pem(certificate),
  };
}

/** Where a certificate is served: a name that changes with it, as AWS's does. */
export function certificatePath(certificate: string): string {
  const digest = createHash("sha256").update(certificate).digest("hex").slice(0, 32);
  return `/SimpleNotificationService-${digest}.pem`;
}

function pem(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
