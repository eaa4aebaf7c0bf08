/** The image of the benchmark: a Node.js and thousands of small files below a function, as a registry and as a folder (OCI layout) have it. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildImage, descriptor } from "../../test/harness/image.ts";
import type { BuiltImage, Files } from "../../test/harness/image.ts";

/** Files of the layer with many: enough to weigh, and on every machine. */
const SMALL_FILES = 4_000;
const SMALL_BYTES = 8_192;

/** Answers events as a runtime interface client does; without a Runtime API it answers once, to its standard output. */
const PROGRAM = `
const api = process.env.AWS_LAMBDA_RUNTIME_API;
const answer = JSON.stringify({ ok: true, n: 7 });
if (api === undefined) console.log(answer);
else (async () => {
  for (;;) {
    const next = await fetch(\`http://\${api}/2018-06-01/runtime/invocation/next\`);
    await next.text();
    const id = next.headers.get("lambda-runtime-aws-request-id");
    await (await fetch(\`http://\${api}/2018-06-01/runtime/invocation/\${id}/response\`, { method: "POST", body: answer })).text();
  }
})();
`;

/** The layers below are the same for every `name`. */
export function benchImage(name: string): BuiltImage {
  const program = realpathSync(process.execPath);
  const own: Files = { "app/": { folder: true }, "app/main.cjs": `${PROGRAM}// ${name}\n` };
  return buildImage({
    layers: [{ files: smallFiles() }, { files: withLibraries(program) }, { files: own }],
    config: { Entrypoint: ["/usr/bin/node", "/app/main.cjs"], WorkingDir: "/app", Env: ["PATH=/usr/bin"] },
  });
}

/** Writes an image as `umoci` and `skopeo` read it: `folder:latest`. */
export function writeLayout(folder: string, image: BuiltImage): void {
  mkdirSync(join(folder, "blobs/sha256"), { recursive: true });
  for (const { digest, bytes } of [image.manifest, ...image.blobs])
    writeFileSync(join(folder, "blobs/sha256", digest.slice("sha256:".length)), bytes);
  writeFileSync(join(folder, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  const annotations = { "org.opencontainers.image.ref.name": "latest" };
  const manifests = [{ ...descriptor(image.manifest), annotations }];
  writeFileSync(join(folder, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
}

/** A program with what it is linked to. */
function withLibraries(program: string): Files {
  const files: Record<string, Files[string]> = {
    "usr/bin/node": { file: readFileSync(program), mode: 0o755 },
  };
  for (const [, path = ""] of execFileSync("ldd", [program], { encoding: "utf8" }).matchAll(/(\/\S+) \(0x/g))
    files[path.slice(1)] = { file: readFileSync(path), mode: 0o755 };
  return files;
}

/** Text of this repository's packages, cut into pieces: it packs as programs do. */
function smallFiles(): Files {
  const text = Buffer.concat(sources("node_modules/@aws-sdk", 48 * 1024 * 1024));
  const files: Record<string, Files[string]> = {};
  for (let at = 0; at < SMALL_FILES; at += 1) {
    const from = (at * SMALL_BYTES) % Math.max(1, text.length - SMALL_BYTES);
    files[`lib/modules/${Math.floor(at / 50)}/${at}.js`] = text.subarray(from, from + SMALL_BYTES);
  }
  return files;
}

function sources(folder: string, bytesMax: number): Buffer[] {
  const found: Buffer[] = [];
  let bytes = 0;
  for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted()) {
    if (bytes >= bytesMax) break;
    if (!path.endsWith(".js") || !statSync(join(folder, path)).isFile()) continue;
    const text = readFileSync(join(folder, path));
    found.push(text);
    bytes += text.length;
  }
  return found;
}
