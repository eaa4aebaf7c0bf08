/** The policies of an identity, parsed: inline, attached and boundary. Kept for a moment, since every request asks. */
import type { Clock } from "../../kit/clock.ts";
import type { Reader } from "../../store/database.ts";
import { parseEntityArn } from "./arn.ts";
import { managedPolicy } from "./managed-policies.ts";
import { parseIdentityPolicy } from "./policy/index.ts";
import type { PolicyDocument } from "./policy/index.ts";
import { getPolicy, getVersion, listAttached, listInline } from "./store-policies.ts";

/** Another server's change is seen after this long at most; this server's own changes at once. */
const KEPT_MS = 1_000;
const IDENTITIES_MAX = 5_000;

export interface PoliciesOfIdentity {
  readonly identity: readonly PolicyDocument[];
  readonly boundary: readonly PolicyDocument[] | undefined;
}

export class IdentityPolicies {
  readonly #reader: Reader;
  readonly #clock: Clock;
  readonly #kept = new Map<string, { readonly policies: PoliciesOfIdentity; readonly until: number }>();
  #generation = 0;

  constructor(reader: Reader, clock: Clock) {
    this.#reader = reader;
    this.#clock = clock;
  }

  /** Everything that says what a role or user (by unique id) may do. */
  async of(ownerId: string, boundaryArn: string | null): Promise<PoliciesOfIdentity> {
    const now = this.#clock.now();
    const kept = this.#kept.get(ownerId);
    if (kept && kept.until > now) return kept.policies;
    const generation = this.#generation;
    const inline = (await listInline(this.#reader, ownerId)).map((row) => row.document);
    const attached = await Promise.all(
      (await listAttached(this.#reader, ownerId)).map((row) => this.document(row.policy_arn)),
    );
    const boundary = boundaryArn === null ? undefined : [await this.document(boundaryArn)];
    const policies = {
      identity: parseAll([...inline, ...attached]),
      boundary: boundary && parseAll(boundary),
    };
    if (generation === this.#generation) {
      if (this.#kept.size >= IDENTITIES_MAX) this.#kept.clear();
      this.#kept.set(ownerId, { policies, until: now + KEPT_MS });
    }
    return policies;
  }

  /** The text of a managed policy's default version; undefined where there is no such policy. */
  async document(arn: string): Promise<string | undefined> {
    const aws = managedPolicy(arn);
    if (aws) return aws.document;
    const entity = parseEntityArn(arn);
    const policy = entity && (await getPolicy(this.#reader, entity.account, entity.name));
    return policy && (await getVersion(this.#reader, policy.policy_id, policy.default_version))?.document;
  }

  forget(): void {
    this.#generation++;
    this.#kept.clear();
  }
}

function parseAll(texts: readonly (string | undefined)[]): PolicyDocument[] {
  return texts.filter((text) => text !== undefined).map(parseIdentityPolicy);
}
