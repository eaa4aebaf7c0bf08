/** Container images made in a test: layers from lists of files, as the content that a registry holds. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gzipSync, zstdCompressSync } from "node:zlib";

/** Text or bytes is a file; the rest as it says. */
export type Entry =
  | string
  | Uint8Array
  | { readonly file: string | Uint8Array; readonly mode?: number; readonly uid?: number }
  | { readonly link: string }
  | { readonly hardLink: string }
  | { readonly folder: true; readonly mode?: number }
  | { readonly type: string };

export type Files = Readonly<Record<string, Entry>>;
export type Packing = "plain" | "gzip" | "zstd";

export interface ImageOptions {
  readonly layers: readonly { readonly files: Files; readonly packing?: Packing }[];
  readonly config?: {
    readonly Entrypoint?: readonly string[];
    readonly Cmd?: readonly string[];
    readonly Env?: readonly string[];
    readonly WorkingDir?: string;
  };
  readonly kind?: "oci" | "docker";
  readonly architecture?: string;
}

export interface Content {
  readonly bytes: Buffer;
  readonly mediaType: string;
  readonly digest: string;
}

export interface BuiltImage {
  readonly manifest: Content;
  /** Configuration and layers. */
  readonly blobs: readonly Content[];
}

const TYPES = {
  oci: {
    manifest: "application/vnd.oci.image.manifest.v1+json",
    config: "application/vnd.oci.image.config.v1+json",
    plain: "application/vnd.oci.image.layer.v1.tar",
    gzip: "application/vnd.oci.image.layer.v1.tar+gzip",
    zstd: "application/vnd.oci.image.layer.v1.tar+zstd",
  },
  docker: {
    manifest: "application/vnd.docker.distribution.manifest.v2+json",
    config: "application/vnd.docker.container.image.v1+json",
    plain: "application/vnd.docker.image.rootfs.diff.tar",
    gzip: "application/vnd.docker.image.rootfs.diff.tar.gzip",
    zstd: "application/vnd.docker.image.rootfs.diff.tar.zstd",
  },
} as const;

export function buildImage({
  layers,
  config = {},
  kind = "oci",
  architecture = process.arch === "arm64" ? "arm64" : "amd64",
}: ImageOptions): BuiltImage {
  const types = TYPES[kind];
  const archives = layers.map(({ files }) => tarOf(files));
  const packed = layers.map(({ packing = "gzip" }, at) =>
    content(pack(archives[at] as Buffer, packing), types[packing]),
  );
  const configuration = content(
    json({
      architecture,
      os: "linux",
      config,
      rootfs: { type: "layers", diff_ids: archives.map(digestOf) },
    }),
    types.config,
  );
  const manifest = json({
    schemaVersion: 2,
    mediaType: types.manifest,
    config: descriptor(configuration),
    layers: packed.map(descriptor),
  });
  return { manifest: content(manifest, types.manifest), blobs: [configuration, ...packed] };
}

/** An index that leads to images by architecture (`amd64`, `arm64`). */
export function buildIndex(images: Readonly<Record<string, BuiltImage>>): Content {
  const manifests = Object.entries(images).map(([architecture, { manifest }]) => ({
    ...descriptor(manifest),
    platform: { os: "linux", architecture },
  }));
  const mediaType = "application/vnd.oci.image.index.v1+json";
  return content(json({ schemaVersion: 2, mediaType, manifests }), mediaType);
}

export function content(bytes: Buffer, mediaType: string): Content {
  return { bytes, mediaType, digest: digestOf(bytes) };
}

export function descriptor({ bytes, mediaType, digest }: Content) {
  return { mediaType, digest, size: bytes.length };
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** A static busybox with its applets, which Debian's busybox-static has. */
export function busybox(): Files {
  const applets = [
    "sh",
    "cat",
    "wget",
    "sed",
    "grep",
    "id",
    "ls",
    "stat",
    "tr",
    "head",
    "env",
    "sleep",
    "pwd",
  ];
  return {
    "bin/busybox": { file: readFileSync("/bin/busybox"), mode: 0o755 },
    ...Object.fromEntries(applets.map((name) => [`bin/${name}`, { link: "busybox" }])),
  };
}

/** A runtime interface client of a few lines: each event is given to `handle`, a function of the shell, at its standard input. */
export function shellRuntime(handle: string): string {
  return `#!/bin/sh
handle() {
${handle}
}
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while :; do
  wget -q -S -O /tmp/event "$api/next" 2>/tmp/head || exit 1
  id=$(grep -i lambda-runtime-aws-request-id /tmp/head | sed 's/.*: *//' | tr -d '\\r')
  handle "$@" </tmp/event >/tmp/answer
  wget -q -O /dev/null --post-file /tmp/answer "$api/$id/response"
done
`;
}

/** A ustar archive. */
export function tarOf(files: Files): Buffer {
  const blocks: Buffer[] = [];
  for (const [path, entry] of Object.entries(files)) {
    const made = entryOf(entry);
    if (Buffer.byteLength(path) > 100) {
      const record = paxRecord("path", path);
      blocks.push(
        header("pax", { type: "x", size: record.length, mode: 0o644, target: "", uid: 0 }),
        padded(record),
      );
    }
    blocks.push(header(path, made), padded(made.bytes));
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

function entryOf(entry: Entry) {
  const none = { bytes: Buffer.alloc(0), size: 0, target: "", uid: 0, mode: 0o644 };
  if (typeof entry === "string" || entry instanceof Uint8Array) return entryOf({ file: entry });
  if ("file" in entry) {
    const bytes = Buffer.from(entry.file as Uint8Array);
    return { ...none, type: "0", bytes, size: bytes.length, mode: entry.mode ?? 0o644, uid: entry.uid ?? 0 };
  }
  if ("link" in entry) return { ...none, type: "2", target: entry.link, mode: 0o777 };
  if ("hardLink" in entry) return { ...none, type: "1", target: entry.hardLink };
  if ("folder" in entry) return { ...none, type: "5", mode: entry.mode ?? 0o755 };
  return { ...none, type: entry.type };
}

function header(
  path: string,
  {
    type,
    size,
    mode,
    target,
    uid,
  }: { type: string; size: number; mode: number; target: string; uid: number },
): Buffer {
  const block = Buffer.alloc(512);
  block.write(path.slice(0, 100), 0);
  block.write(octal(mode, 7), 100);
  block.write(octal(uid, 7), 108);
  block.write(octal(uid, 7), 116);
  block.write(octal(size, 11), 124);
  block.write(octal(1_700_000_000, 11), 136);
  block.write("        ", 148);
  block.write(type, 156);
  block.write(target.slice(0, 100), 157);
  block.write("ustar\u000000", 257);
  const sum = block.reduce((all, byte) => all + byte, 0);
  block.write(`${octal(sum, 6)}\0 `, 148);
  return block;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}

function paxRecord(key: string, value: string): Buffer {
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest);
  while (String(length).length + Buffer.byteLength(rest) > length) length++;
  return Buffer.from(`${length}${rest}`);
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

function pack(archive: Buffer, packing: Packing): Buffer {
  if (packing === "plain") return archive;
  return packing === "gzip" ? gzipSync(archive, { level: 1 }) : zstdCompressSync(archive);
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
