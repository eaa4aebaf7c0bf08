/** Container images on this machine: resolved and pulled from registries, and laid out as root file systems that sandboxes share. */
import { existsSync } from "node:fs";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Ids } from "../../kit/id.ts";
import { InTurn } from "../../kit/in-turn.ts";
import { isSameBoot } from "../../kit/same-boot.ts";
import type { Log } from "../../telemetry/log.ts";
import { tryProgram } from "../run-program.ts";
import { ImageError } from "./image-error.ts";
import { LayerStore } from "./layer-store.ts";
import type { Layer } from "./layer-store.ts";
import { linkRoot } from "./linked-root.ts";
import { IMAGE_BYTES_MAX, imageTooLarge } from "./manifest.ts";
import type { Architecture, ImageDefaults } from "./manifest.ts";
import { makeMountPoints } from "./mount-points.ts";
import { overlayOf } from "./overlay.ts";
import type { Overlay } from "./overlay.ts";
import { readImage, resolveImage } from "./pull.ts";
import type { ImageParts } from "./pull.ts";
import { pinnedName } from "./reference.ts";
import { parseReference } from "./reference.ts";
import type { RegistrySettings } from "./registry-settings.ts";

export interface ImageStoreDeps {
  /** Where images are kept. */
  readonly folder: string;
  /** Where they are mounted; what a killed server left mounted there is taken down by the sandbox provider. */
  readonly mountFolder: string;
  readonly registries: RegistrySettings;
  /** False: as where the kernel mounts no overlays. */
  readonly mayOverlay?: boolean;
  readonly ids: Ids;
  readonly log: Log;
}

/** An image that is here, as it is kept beside the layers. */
interface Kept {
  readonly diffIds: readonly string[];
  readonly defaults: ImageDefaults;
  /** Its layers are on the disk, whatever becomes of the machine's power. */
  readonly isSynced: boolean;
}

/** Names a manifest: `sha256:…`. */
type Digest = string;

export class ImageStore {
  readonly #deps: ImageStoreDeps;
  #overlay: Overlay | undefined;
  #layers!: LayerStore;
  readonly #images = new Map<Digest, Kept>();
  /** Root file systems that are laid out. */
  readonly #roots = new Set<Digest>();
  readonly #users = new Map<Digest, number>();
  /** Images that nothing refers to any more, as soon as nobody uses them. */
  readonly #doomed = new Set<Digest>();
  readonly #turns = new InTurn();
  #isClosed = false;

  private constructor(deps: ImageStoreDeps) {
    this.#deps = deps;
  }

  /** Opens a folder of images, whatever state a killed server left it in. */
  static async open(deps: ImageStoreDeps): Promise<ImageStore> {
    const store = new ImageStore(deps);
    await store.#open();
    return store;
  }

  /**
   * Finds the image that a reference names now.
   * @param uri `host[:port]/repository[:tag][@digest]`
   * @returns The digest of its manifest for the architecture.
   * @throws ImageError
   */
  async resolve(uri: string, architecture: Architecture): Promise<Digest> {
    return resolveImage(uri, architecture, this.#deps.registries).catch((error: Error) => {
      const { cause } = error;
      if (cause instanceof ImageError)
        this.#deps.log.warn("An image's registry cannot be reached", { image: uri, error: cause.message });
      throw error;
    });
  }

  /** Where its root file system lies while it is held. */
  root(digest: Digest): string {
    const folder = this.#overlay ? this.#deps.mountFolder : join(this.#deps.folder, "roots");
    return join(folder, digest.slice("sha256:".length));
  }

  /** How it is to be run, while it is held. */
  defaults(digest: Digest): ImageDefaults {
    const kept = this.#images.get(digest);
    if (!kept) throw new Error(`the image ${digest} is not here`);
    return kept.defaults;
  }

  /**
   * Pulls the image where it is not here, and keeps it at {@link root} until the answer is called.
   * @param uri Any reference to its repository.
   * @throws ImageError
   */
  async hold(uri: string, digest: Digest): Promise<() => void> {
    this.#doomed.delete(digest);
    this.#users.set(digest, (this.#users.get(digest) ?? 0) + 1);
    let held = true;
    const release = () => {
      if (held) this.#release(digest);
      held = false;
    };
    try {
      if (this.#turns.has(digest) || !this.#roots.has(digest))
        await this.#turns.run(digest, () => this.#makeReady(uri, digest));
      return release;
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Nothing refers to it any more: it goes, at once or when the last who holds it has let go. */
  async remove(digest: Digest): Promise<void> {
    this.#doomed.add(digest);
    await this.#removeDoomed(digest);
  }

  /** Removes what is not among these; called before anything is held. */
  async keepOnly(digests: ReadonlySet<Digest>): Promise<void> {
    for (const digest of this.#images.keys()) if (!digests.has(digest)) await this.remove(digest);
  }

  /** Ends what is being pulled. Mounts are taken down with the sandboxes. */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.#layers.close();
  }

  async #open(): Promise<void> {
    const { folder, mountFolder } = this.#deps;
    for (const name of [folder, mountFolder, join(folder, "images")])
      await mkdir(name, { recursive: true, mode: 0o700 });
    // Half of a root, or one of a server that could not mount.
    for (const name of ["staging", "roots"]) await rm(join(folder, name), { recursive: true, force: true });
    await makeMountPoints(join(folder, "points"));
    this.#overlay = this.#deps.mayOverlay === false ? undefined : overlayOf(join(folder, "staging"));
    const isTrusted = await isSameBoot(join(folder, ".boot"));
    for (const name of await readdir(join(folder, "images"))) {
      const path = join(folder, "images", name);
      const kept = await readKept(path);
      if (kept && (isTrusted || kept.isSynced))
        this.#images.set(`sha256:${name.slice(0, -".json".length)}`, kept);
      else await rm(path, { force: true });
    }
    this.#layers = new LayerStore({ ...this.#deps, folder: join(folder, "layers"), overlay: this.#overlay });
    await this.#layers.open((diffId) => this.#isUsed(diffId));
    for (const [digest, { diffIds }] of this.#images)
      if (!diffIds.every((diffId) => this.#layers.get(diffId))) await this.#forget(digest);
  }

  async #makeReady(uri: string, digest: Digest): Promise<void> {
    if (!this.#images.has(digest)) await this.#pull(uri, digest);
    if (this.#roots.has(digest)) return;
    await this.#layOut(digest);
    this.#roots.add(digest);
  }

  async #pull(uri: string, digest: Digest): Promise<void> {
    const reference = parseReference(uri);
    if (!reference) throw new ImageError("invalid", `${uri} is no reference to an image`);
    const startedAt = performance.now();
    const image = await readImage(reference, digest, this.#deps.registries);
    await this.#pullLayers(image);
    const kept: Kept = { diffIds: image.diffIds, defaults: image.defaults, isSynced: false };
    await this.#keep(digest, kept);
    this.#deps.log.info("An image was pulled", {
      image: pinnedName(reference, digest),
      layers: image.layers.length,
      ms: Math.round(performance.now() - startedAt),
    });
    this.#sync(digest, kept).catch((error: unknown) => {
      if (!this.#isClosed) this.#deps.log.warn("An image could not be synced to disk", { digest, error });
    });
  }

  /** All at once: the workers take them in turn. */
  async #pullLayers({ source, layers, diffIds }: ImageParts): Promise<void> {
    const budget = new SharedArrayBuffer(8);
    const left = new BigInt64Array(budget);
    const there = diffIds.reduce((sum, diffId) => sum + (this.#layers.get(diffId)?.bytes ?? 0), 0);
    left[0] = BigInt(IMAGE_BYTES_MAX - there);
    const pulls = layers.map(async (layer, at) => {
      try {
        const job = { source: await source.layer(layer.digest), layer, diffId: diffIds[at] ?? "", budget };
        return await this.#layers.have(job);
      } catch (error) {
        // What the others unpack is of no use any more.
        Atomics.store(left, 0, 0n);
        throw error;
      }
    });
    const results = await Promise.allSettled(pulls);
    // The first to fail is the reason; others may have failed for it.
    const failures = results.flatMap((result) =>
      result.status === "rejected" ? [result.reason as Error] : [],
    );
    const own = failures.find((error) => error.message !== imageTooLarge().message);
    if (failures[0]) throw own ?? failures[0];
    const bytes = diffIds.reduce((sum, diffId) => sum + (this.#layers.get(diffId)?.bytes ?? 0), 0);
    if (bytes > IMAGE_BYTES_MAX) throw imageTooLarge();
  }

  async #layOut(digest: Digest): Promise<void> {
    const { folder } = this.#deps;
    const root = this.root(digest);
    const all = (this.#images.get(digest)?.diffIds ?? []).map((diffId) => this.#layers.get(diffId) as Layer);
    // One that takes away all below it, if there is one, is the lowest that is seen.
    const layers = all.slice(
      Math.max(
        0,
        all.findLastIndex(({ opaque }) => opaque.includes("")),
      ),
    );
    const points = join(folder, "points");
    if (this.#overlay) {
      for (const layer of layers) await this.#layers.write(layer, this.#overlay);
      await mkdir(root, { recursive: true });
      const folders = [points, ...layers.map((layer) => layer.folder).toReversed()];
      this.#overlay.mount(folders, root, join(folder, `links-${this.#deps.ids.uuid()}`));
      return;
    }
    const staging = join(folder, "staging", this.#deps.ids.uuid());
    await mkdir(staging, { recursive: true });
    const below = layers.map((layer) => ({ folder: layer.folder, removals: layer }));
    await linkRoot([...below, { folder: points, removals: { whiteouts: [], opaque: [] } }], staging);
    await mkdir(join(root, ".."), { recursive: true });
    await rename(staging, root);
  }

  #release(digest: Digest): void {
    const users = (this.#users.get(digest) ?? 1) - 1;
    if (users > 0) this.#users.set(digest, users);
    else this.#users.delete(digest);
    if (users === 0 && this.#doomed.has(digest))
      void this.#removeDoomed(digest).catch((error: unknown) =>
        this.#deps.log.warn("An image could not be removed", { digest, error }),
      );
  }

  async #removeDoomed(digest: Digest): Promise<void> {
    await this.#turns.run(digest, async () => {
      if (this.#users.has(digest) || !this.#doomed.delete(digest)) return;
      if (this.#roots.delete(digest)) {
        const root = this.root(digest);
        this.#overlay?.detach(root);
        await rm(root, { recursive: true, force: true });
      }
      await this.#forget(digest);
    });
  }

  /** The record goes first: layers without one are removed when the server starts. */
  async #forget(digest: Digest): Promise<void> {
    const diffIds = this.#images.get(digest)?.diffIds ?? [];
    await rm(this.#recordOf(digest), { force: true });
    this.#images.delete(digest);
    for (const diffId of diffIds) if (!this.#isUsed(diffId)) await this.#layers.remove(diffId);
  }

  #isUsed(diffId: string): boolean {
    for (const { diffIds } of this.#images.values()) if (diffIds.includes(diffId)) return true;
    return false;
  }

  async #keep(digest: Digest, kept: Kept): Promise<void> {
    const path = this.#recordOf(digest);
    await writeFile(`${path}.half`, JSON.stringify(kept));
    await rename(`${path}.half`, path);
    this.#images.set(digest, kept);
  }

  /** Behind the answer: until it is done, a loss of power (not of the server) makes the next one pull the image again. */
  async #sync(digest: Digest, kept: Kept): Promise<void> {
    const { code } = await tryProgram("sync", ["-f", this.#deps.folder]);
    await this.#turns.run(digest, async () => {
      if (code === 0 && !this.#isClosed && this.#images.get(digest) === kept)
        await this.#keep(digest, { ...kept, isSynced: true });
    });
  }

  #recordOf(digest: Digest): string {
    return join(this.#deps.folder, "images", `${digest.slice("sha256:".length)}.json`);
  }
}

async function readKept(path: string): Promise<Kept | undefined> {
  if (!path.endsWith(".json") || !existsSync(path)) return undefined;
  try {
    return JSON.parse(await readFile(path, "utf8")) as Kept;
  } catch {
    return undefined;
  }
}
