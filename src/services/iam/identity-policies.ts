/** Identities with their policies, parsed: inline, attached and boundary. Kept for a moment, since every request asks. */
import type { Clock } from "../../kit/clock.ts";
import type { Reader } from "../../store/database.ts";
import { parseEntityArn } from "./arn.ts";
import { managedPolicy } from "./managed-policies.ts";
import { parseIdentityPolicy } from "./policy/index.ts";
import type { PolicyDocument } from "./policy/index.ts";
import { getRoleById, getUserById } from "./store.ts";
import { getSession } from "./store-keys.ts";
import { getPolicy, getVersion, listAttached, listInline } from "./store-policies.ts";

/** Another server's change is seen after this long at most; this server's own changes at once. */
const KEPT_MS = 1_000;
const IDENTITIES_MAX = 5_000;
const SESSIONS_MAX = 10_000;

export interface PoliciesOfIdentity {
  readonly identity: readonly PolicyDocument[];
  readonly boundary: readonly PolicyDocument[] | undefined;
}

/** A user or role as a caller's requests are held against it. */
export interface Identity extends PoliciesOfIdentity {
  /** JSON: `{ key: value }`. */
  readonly tags: string;
  /** Of a user. */
  readonly name: string | undefined;
}

export class IdentityPolicies {
  readonly #reader: Reader;
  readonly #clock: Clock;
  readonly #kept = new Map<string, { readonly policies: PoliciesOfIdentity; readonly until: number }>();
  readonly #identities = new Map<string, { readonly identity: Identity; readonly until: number }>();
  /** Sessions never change, so theirs are kept without an end. */
  readonly #sessions = new Map<string, readonly PolicyDocument[] | undefined>();
  #generation = 0;

  constructor(reader: Reader, clock: Clock) {
    this.#reader = reader;
    this.#clock = clock;
  }

  /** A role or user by its unique id; undefined once it is gone. */
  async identity(kind: "role" | "user", id: string): Promise<Identity | undefined> {
    const now = this.#clock.now();
    const kept = this.#identities.get(id);
    if (kept && kept.until > now) return kept.identity;
    const generation = this.#generation;
    const row = kind === "role" ? await getRoleById(this.#reader, id) : await getUserById(this.#reader, id);
    if (!row) return undefined;
    const policies = await this.of(id, row.boundary_arn);
    const name = kind === "user" ? row.name : undefined;
    const identity = { ...policies, tags: row.tags, name };
    if (generation === this.#generation) {
      if (this.#identities.size >= IDENTITIES_MAX) this.#identities.clear();
      this.#identities.set(id, { identity, until: now + KEPT_MS });
    }
    return identity;
  }

  /** The session policies of temporary credentials; undefined where they have none. */
  async session(accessKeyId: string): Promise<readonly PolicyDocument[] | undefined> {
    if (this.#sessions.has(accessKeyId)) return this.#sessions.get(accessKeyId);
    const row = await getSession(this.#reader, accessKeyId);
    // Swept since the caller was authenticated: it allows nothing any more.
    if (!row) return [];
    const texts = row.session_policies ? (JSON.parse(row.session_policies) as string[]) : undefined;
    const documents = texts?.map(parseIdentityPolicy);
    if (this.#sessions.size >= SESSIONS_MAX) this.#sessions.clear();
    this.#sessions.set(accessKeyId, documents);
    return documents;
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
    this.#identities.clear();
  }
}

function parseAll(texts: readonly (string | undefined)[]): PolicyDocument[] {
  return texts.filter((text) => text !== undefined).map(parseIdentityPolicy);
}
