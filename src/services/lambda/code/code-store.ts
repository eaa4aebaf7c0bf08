/**
 * Function code: images, kept by the image store; zips kept by content among the blobs, gone when no version uses them; and their unpacked folders, each of which all
 * environments of all versions share, kept as long as there is room.
 */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Transform } from "node:stream";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { notImplemented } from "../../../aws/errors.ts";
import type { AwsError } from "../../../aws/errors.ts";
import type { Ids } from "../../../kit/id.ts";
import { InTurn } from "../../../kit/in-turn.ts";
import { isSameBoot } from "../../../kit/same-boot.ts";
import type { Blobs } from "../../../store/blobs.ts";
import type { Database } from "../../../store/database.ts";
import type { Log } from "../../../telemetry/log.ts";
import { codeGone, invalidParameter } from "../errors.ts";
import { UNZIPPED_BYTES_MAX } from "../limits.ts";
import type { CodeObjects, FunctionImages, ObjectVersion } from "../ports.ts";
import { SIGNATURE_FILE, readPackage } from "../signing/package-signature.ts";
import type { PackageSignature } from "../signing/package-signature.ts";
import { isCodeUsed, isImageUsed, usedCodes } from "../store-lists.ts";
import { CodeCache } from "./code-cache.ts";
import { imageOf, imageSuffix } from "./image-code.ts";
import { localFolder, stampOf } from "./local-folders.ts";
import { mergeLayers } from "./merge-layers.ts";
import { badZip, unpack } from "./unpack.ts";

export interface Code {
  /** Lower-case hex SHA-256 of the zip. */
  readonly sha256: string;
  readonly zipBytes: number;
  readonly unzippedBytes: number;
  /** As it was found in the zip. */
  readonly signature?: PackageSignature;
  /** Where it stays. Absent for code that is stored here. */
  readonly s3Object?: ObjectVersion;
}

interface Deps {
  readonly images: FunctionImages | undefined;
  readonly blobs: Blobs;
  readonly database: Database;
  readonly objects: CodeObjects;
  readonly ids: Ids;
  readonly codeDir: string;
  /** Unpacked code that is kept though no environment has it mounted, in bytes. */
  readonly cacheBytes: number;
  readonly log: Log;
}

/** Where contents stay that are not stored here, by their SHA-256. */
export type ReferencedCodes = ReadonlyMap<string, ObjectVersion>;

const NONE: ReferencedCodes = new Map();

/** Holds the boot during which the folder was last swept. */
const BOOT_FILE = ".boot";

/** The blob's name of a zip. */
export function codeBlob(sha256: string): string {
  return `code/${sha256}`;
}

export class CodeStore {
  readonly #deps: Deps;
  /** Contents that a request holds, so that a deletion meanwhile does not take them away. */
  readonly #held = new Map<string, number>();
  /** Removals and unpackings of one content happen one after the other. */
  readonly #turns = new InTurn();
  readonly #cache: CodeCache;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#cache = new CodeCache(deps.cacheBytes);
  }

  /** Where the code lies while it is held. */
  folder(sha256: string): string {
    const image = imageOf(sha256);
    if (image) return this.#images().root(image.digest);
    return localFolder(sha256) ?? join(this.#deps.codeDir, sha256);
  }

  /** Changes with the code of a folder of this machine; undefined for code that is stored, which never changes. */
  stamp(sha256: string): Promise<string> | undefined {
    const folder = localFolder(sha256);
    return folder === undefined ? undefined : stampOf(folder);
  }

  /** Where layers lie, merged, while they are held. @param codes Their contents, in order; at least one. */
  layersFolder(codes: readonly string[]): string {
    return this.folder(layersName(codes));
  }

  /** The same with an object that stays where it is: checked and unpacked, and not stored. */
  async withReferenced<T>(object: ObjectVersion, use: (code: Code) => Promise<T>): Promise<T> {
    const content = await readReferenced(this.#deps.objects, object);
    return this.with(content, UNZIPPED_BYTES_MAX, (code) => use({ ...code, s3Object: object }), false);
  }

  /**
   * Stores a zip of at most `bytesMax`, checked and unpacked, and runs `use` with it; what no version refers to
   * afterwards is removed again.
   * @throws InvalidParameterValueException when it cannot be used.
   */
  async with<T>(
    content: Readable | Uint8Array,
    bytesMax: number,
    use: (code: Code) => Promise<T>,
    isKept = true,
  ): Promise<T> {
    const staged = await this.#stage(content, bytesMax);
    this.#held.set(staged.sha256, (this.#held.get(staged.sha256) ?? 0) + 1);
    try {
      const signature = await findSignature(staged);
      const unzippedBytes = await this.#turns.run(staged.sha256, async () => {
        if (isKept) await this.#keepBlob(staged);
        await this.#publish(staged.sha256, staged);
        return staged.unzippedBytes;
      });
      const { sha256, zipBytes } = staged;
      return await use({ sha256, zipBytes, unzippedBytes, ...(signature && { signature }) });
    } finally {
      this.#held.set(staged.sha256, (this.#held.get(staged.sha256) ?? 1) - 1);
      await rm(staged.temporary, { recursive: true, force: true });
      await this.release(staged.sha256);
      this.#makeRoom();
    }
  }

  /**
   * Unpacks the code where it is not, and keeps it at {@link folder} until the answer is called.
   * @param objects Where code stays that is not stored, by its SHA-256. @throws when the zip cannot be read.
   */
  async hold(sha256: string, objects: ReferencedCodes = NONE): Promise<() => void> {
    const image = imageOf(sha256);
    if (image) return this.#images().hold(image.from, image.digest);
    const stamp = this.stamp(sha256);
    if (stamp !== undefined) {
      await stamp;
      return () => {};
    }
    return this.#hold(sha256, () => this.#unpack(sha256, objects));
  }

  /** The same with layers, which lie merged at {@link layersFolder}. */
  async holdAll(
    sha256: string,
    layers: readonly string[],
    objects: ReferencedCodes = NONE,
  ): Promise<() => void> {
    const release = await this.hold(sha256, objects);
    if (layers.length === 0) return release;
    try {
      const releaseLayers = await this.#holdLayers(layers, objects);
      return () => {
        release();
        releaseLayers();
      };
    } catch (error) {
      release();
      throw error;
    }
  }

  async #holdLayers(codes: readonly string[], objects: ReferencedCodes): Promise<() => void> {
    const name = layersName(codes);
    return this.#hold(name, () =>
      codes.length === 1 ? this.#unpack(name, objects) : this.#merge(name, codes, objects),
    );
  }

  async #hold(name: string, make: () => Promise<void>): Promise<() => void> {
    const release = this.#cache.hold(name);
    try {
      // Asked by every cold start, and nearly always so: a look from this thread takes less than the way to another.
      if (this.#turns.has(name) || !existsSync(this.folder(name))) {
        await this.#turns.run(name, async () => {
          if (!(await exists(this.folder(name)))) await make();
        });
        this.#makeRoom();
      }
    } catch (error) {
      release();
      throw error;
    }
    return () => {
      release();
      this.#makeRoom();
    };
  }

  async #unpack(sha256: string, referenced: ReferencedCodes): Promise<void> {
    const { blobs, objects } = this.#deps;
    const object = referenced.get(sha256);
    const content = object ? await readReferenced(objects, object) : await blobs.read(codeBlob(sha256));
    const staged = await this.#stage(content, Number.POSITIVE_INFINITY);
    await this.#publish(sha256, staged);
    await rm(staged.temporary, { recursive: true, force: true });
  }

  async #merge(name: string, codes: readonly string[], objects: ReferencedCodes): Promise<void> {
    const temporary = join(this.#deps.codeDir, `.staging-${this.#deps.ids.uuid()}`);
    const releases: (() => void)[] = [];
    try {
      for (const code of new Set(codes)) releases.push(await this.hold(code, objects));
      await mkdir(temporary, { mode: 0o755 });
      await mergeLayers(
        codes.map((code) => this.folder(code)),
        temporary,
      );
      await this.#publish(name, { folder: temporary, unzippedBytes: await bytesBelow(temporary) });
    } finally {
      for (const release of releases) release();
      await rm(temporary, { recursive: true, force: true });
    }
  }

  /** @throws where functions are not isolated any more, since the server was started otherwise. */
  #images(): FunctionImages {
    const { images } = this.#deps;
    if (images) return images;
    throw notImplemented(
      "PackageType Image of a Lambda function where functions are plain processes (sandbox process)",
    );
  }

  /** Removes folders that nobody holds while there are too many bytes of them, in the background. */
  #makeRoom(): void {
    for (const sha256 of this.#cache.excess())
      this.#turns
        .run(sha256, async () => {
          if (!this.#cache.isHeld(sha256)) await this.#removeFolder(sha256);
        })
        .catch((error: unknown) => this.#deps.log.warn("Unpacked code could not be removed", { error }));
  }

  /** Removes zip and folder, or the image, when no version refers to them any more. */
  async release(sha256: string): Promise<void> {
    const image = imageOf(sha256);
    if (image) {
      if (!(await isImageUsed(this.#deps.database, imageSuffix(image.digest))))
        await this.#deps.images?.remove(image.digest);
      return;
    }
    if (localFolder(sha256) !== undefined) return;
    await this.#turns.run(sha256, async () => {
      if ((this.#held.get(sha256) ?? 0) > 0) return;
      this.#held.delete(sha256);
      if (await isCodeUsed(this.#deps.database, sha256)) return;
      await this.#deps.blobs.delete(codeBlob(sha256));
      // Nothing can run it any more; an environment that is just ending may still have it mounted, and then it goes for want of room.
      if (!this.#cache.isHeld(sha256)) await this.#removeFolder(sha256);
    });
  }

  /** Removes what a killed server left: half-unpacked folders, and code whose version was never committed. */
  async sweep(): Promise<void> {
    const { codeDir } = this.#deps;
    await mkdir(codeDir, { recursive: true, mode: 0o755 });
    const used = await usedCodes(this.#deps.database);
    await this.#deps.images?.keepOnly(new Set([...used.keys()].map((code) => imageOf(code)?.digest ?? "")));
    // Unpacked files are not synced to disk: after a loss of power they may be torn, and are unpacked again.
    const trusted = await isSameBoot(join(codeDir, BOOT_FILE));
    for (const name of await readdir(codeDir)) {
      if (name === BOOT_FILE) continue;
      const path = join(codeDir, name);
      if (trusted && used.has(name)) this.#cache.added(name, used.get(name) || (await bytesBelow(path)));
      else await rm(path, { recursive: true, force: true });
    }
    this.#makeRoom();
    // Another server of the same database may be storing code right now; only a sole owner may tell what is left over.
    if (this.#deps.database.engine !== "sqlite") return;
    const stale: string[] = [];
    for await (const name of this.#deps.blobs.list("code/")) if (!used.has(name.slice(5))) stale.push(name);
    for (const name of stale) await this.#deps.blobs.delete(name);
  }

  /** Writes the zip to a temporary folder, hashed and bounded on the way, and unpacks it beside. */
  async #stage(content: Readable | Uint8Array, bytesMax: number) {
    const temporary = join(this.#deps.codeDir, `.staging-${this.#deps.ids.uuid()}`);
    const folder = join(temporary, "code");
    await mkdir(folder, { recursive: true, mode: 0o755 });
    try {
      const hash = createHash("sha256");
      let zipBytes = 0;
      const meter = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          zipBytes += chunk.length;
          hash.update(chunk);
          if (zipBytes > bytesMax) done(zipTooLarge(bytesMax));
          else done(null, chunk);
        },
      });
      const zip = join(temporary, "code.zip");
      await pipeline(content instanceof Uint8Array ? [content] : content, meter, createWriteStream(zip));
      if (zipBytes === 0) throw badZip();
      const unzippedBytes = await unpack(zip, folder);
      return { temporary, folder, zip, zipBytes, unzippedBytes, sha256: hash.digest("hex") };
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      throw error;
    }
  }

  async #keepBlob(staged: { sha256: string; zip: string }): Promise<void> {
    if (await this.#deps.blobs.stat(codeBlob(staged.sha256))) return;
    await this.#deps.blobs.put(codeBlob(staged.sha256), createReadStream(staged.zip));
  }

  async #publish(sha256: string, staged: { folder: string; unzippedBytes: number }): Promise<void> {
    const folder = this.folder(sha256);
    if (!(await exists(folder))) await rename(staged.folder, folder);
    this.#cache.added(sha256, staged.unzippedBytes);
  }

  /** Renames first, so that a folder that is there is always whole, whenever the server is killed. */
  async #removeFolder(sha256: string): Promise<void> {
    const doomed = join(this.#deps.codeDir, `.staging-${this.#deps.ids.uuid()}`);
    const renamed = await rename(this.folder(sha256), doomed).then(
      () => true,
      () => false,
    );
    this.#cache.removed(sha256);
    if (renamed) await rm(doomed, { recursive: true, force: true });
  }
}

/** @throws InvalidZipFileException where it is no longer there. */
async function readReferenced(objects: CodeObjects, object: ObjectVersion): Promise<Readable> {
  const { account, region, bucket, key, versionId } = object;
  const content = await objects.read(account, region, bucket, key, versionId);
  if (!content) throw codeGone(object);
  return content;
}

/** Most packages have none, which a look at what was unpacked tells. */
async function findSignature({
  zip,
  folder,
}: {
  zip: string;
  folder: string;
}): Promise<PackageSignature | undefined> {
  if (!existsSync(join(folder, SIGNATURE_FILE))) return undefined;
  const { token, packageSha384 } = await readPackage(zip);
  return token === undefined ? undefined : { token, packageSha384 };
}

/** The folder's name of layers in an order. */
function layersName(codes: readonly string[]): string {
  const [only] = codes;
  if (codes.length === 1 && only !== undefined) return only;
  return `layers-${createHash("sha256").update(codes.join()).digest("hex")}`;
}

/** Bytes of all files, at any depth. */
async function bytesBelow(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true }))
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  return bytes;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function zipTooLarge(bytesMax: number): AwsError {
  return invalidParameter(`Zipped size must be smaller than ${bytesMax} bytes`);
}
