/**
 * Signing profiles: a folder with a file for each version of each, which has its public key and what was revoked. Beside it, where
 * packages are signed, lies its private key; a server that only verifies needs no more than the first.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, randomUUID } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { mkdir, readFile, readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** One version of a profile, as its file has it. */
export interface SigningProfile {
  /** `arn:aws:signer:us-east-1:000000000000:/signing-profiles/NAME/VERSION` */
  readonly profileVersionArn: string;
  /** SPKI, PEM. */
  readonly publicKey: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** How long a signature is good, from its day. */
  readonly validityMonths: number;
  /** Signatures made from this moment on are revoked; ISO 8601. */
  readonly revokedFrom?: string;
  /** ARNs of signing jobs whose signatures are revoked. */
  readonly revokedJobs?: readonly string[];
}

/** A profile version's ARN; AWS's names have letters, digits and underscores, its versions ten of the first two. */
export const PROFILE_VERSION_ARN =
  /^arn:aws[a-z-]*:signer:([a-z0-9-]+):(\d{12}):\/signing-profiles\/([a-zA-Z0-9_]{2,64})\/([a-zA-Z0-9]{10})$/;
/** As AWS Signer has it for Lambda. */
export const VALIDITY_MONTHS_DEFAULT = 135;

/** Where a server looks for them, and the commands keep them. */
export function signingProfilesDir(dataDir: string): string {
  return join(dataDir, "signing-profiles");
}

export class SigningProfiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Every version of every profile that is known here, by name and age. */
  async list(): Promise<SigningProfile[]> {
    const names = await readdir(this.#folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    const profiles: SigningProfile[] = [];
    for (const name of names.filter((one) => one.endsWith(".json")).toSorted())
      profiles.push(JSON.parse(await readFile(join(this.#folder, name), "utf8")) as SigningProfile);
    return profiles.sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
  }

  /** The version of that ARN; undefined where it is not known here. */
  async find(profileVersionArn: string): Promise<SigningProfile | undefined> {
    const match = PROFILE_VERSION_ARN.exec(profileVersionArn);
    if (!match) return undefined;
    const text = await readFile(join(this.#folder, fileOf(match)), "utf8").catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return undefined;
        throw error;
      },
    );
    const profile = text === undefined ? undefined : (JSON.parse(text) as SigningProfile);
    return profile?.profileVersionArn === profileVersionArn ? profile : undefined;
  }

  /** Makes a key pair, and a version of a profile of it; one of a name that is there is its next version. */
  async create(
    place: { readonly account: string; readonly region: string },
    name: string,
    validityMonths: number,
    now: number,
  ): Promise<SigningProfile> {
    const version = randomBytes(5).toString("hex");
    const profileVersionArn = `arn:aws:signer:${place.region}:${place.account}:/signing-profiles/${name}/${version}`;
    const match = PROFILE_VERSION_ARN.exec(profileVersionArn);
    if (!match)
      throw new Error(`${name} is no name of a signing profile: letters, digits and _, 2 to 64 of them.`);
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
    const profile: SigningProfile = {
      profileVersionArn,
      publicKey: publicKey.export({ type: "spki", format: "pem" }),
      createdAt: new Date(now).toISOString(),
      validityMonths,
    };
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const pem = privateKey.export({ type: "pkcs8", format: "pem" });
    await writeFile(join(this.#folder, keyFileOf(match)), pem, { mode: 0o600, flag: "wx" });
    await this.#save(match, profile);
    return profile;
  }

  /** @throws Error where this folder has no private key of the profile. */
  async privateKey({ profileVersionArn }: SigningProfile): Promise<KeyObject> {
    const path = join(this.#folder, keyFileOf(PROFILE_VERSION_ARN.exec(profileVersionArn) ?? []));
    const pem = await readFile(path).catch(() => {
      throw new Error(
        `There is no private key of ${profileVersionArn} at ${path}; sign where the profile was created.`,
      );
    });
    return createPrivateKey(pem);
  }

  /** Revokes what was signed from a moment on, or in one job. */
  async revoke(profile: SigningProfile, what: { from: number } | { job: string }): Promise<SigningProfile> {
    const revoked: SigningProfile =
      "job" in what
        ? { ...profile, revokedJobs: [...new Set([...(profile.revokedJobs ?? []), what.job])] }
        : { ...profile, revokedFrom: new Date(what.from).toISOString() };
    await this.#save(PROFILE_VERSION_ARN.exec(profile.profileVersionArn) ?? [], revoked);
    return revoked;
  }

  /** Whole or not at all: a server may read it at any moment. */
  async #save(match: readonly string[], profile: SigningProfile): Promise<void> {
    const path = join(this.#folder, fileOf(match));
    await writeFile(`${path}.new`, `${JSON.stringify(profile, undefined, 2)}\n`, { mode: 0o644 });
    await rename(`${path}.new`, path);
  }
}

export function publicKeyOf({ publicKey }: SigningProfile): KeyObject {
  return createPublicKey(publicKey);
}

/** The ARN of a new signing job in the place of a profile. */
export function newJobArn({ profileVersionArn }: SigningProfile): string {
  const [, region, account] = PROFILE_VERSION_ARN.exec(profileVersionArn) ?? [];
  return `arn:aws:signer:${region}:${account}:/signing-jobs/${randomUUID()}`;
}

/** Profiles of several accounts and regions may be known here. */
function fileOf([, region, account, name, version]: readonly string[]): string {
  return `${name}-${version}-${account}-${region}.json`;
}

function keyFileOf(match: readonly string[]): string {
  return fileOf(match).replace(/json$/, "key.pem");
}
