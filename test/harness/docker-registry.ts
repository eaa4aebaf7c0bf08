/** Docker's own registry, which Debian has as docker-registry; and a push as `docker push` does it. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./free-port.ts";
import type { BuiltImage } from "./image.ts";

export interface DockerRegistry {
  /** `localhost:port` */
  readonly host: string;
  /** Answers the reference of what was pushed. */
  push(repository: string, tag: string, image: BuiltImage): Promise<string>;
  close(): Promise<void>;
}

/** Why there is none on this machine. */
export function dockerRegistryMissing(): string | undefined {
  return spawnSync("docker-registry", ["--version"]).status === 0
    ? undefined
    : "there is no docker-registry on this machine; install Debian's package of that name";
}

export async function startDockerRegistry(): Promise<DockerRegistry> {
  const folder = await mkdtemp(join(tmpdir(), "lambent-docker-registry-"));
  const port = await freePort();
  const config = {
    version: "0.1",
    log: { level: "error", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(folder, "data") } },
    http: { addr: `127.0.0.1:${port}` },
  };
  // JSON is YAML.
  await writeFile(join(folder, "config.yml"), JSON.stringify(config));
  const child = spawn("docker-registry", ["serve", join(folder, "config.yml")], { stdio: "ignore" });
  const host = `localhost:${port}`;
  for (let tries = 0; !(await fetch(`http://${host}/v2/`).catch(() => undefined))?.ok; tries++) {
    if (tries > 200) throw new Error("docker-registry does not answer");
    await sleep(50);
  }
  return {
    host,
    push: (repository, tag, image) => push(host, repository, tag, image),
    async close() {
      child.kill();
      await once(child, "exit");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Uploads blobs, then the manifest, to whichever registry; answers the reference. */
export async function push(
  host: string,
  repository: string,
  tag: string,
  image: BuiltImage,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const base = `http://${host}/v2/${repository}`;
  for (const { bytes, digest } of image.blobs) {
    const begun = await fetch(`${base}/blobs/uploads/`, { method: "POST", headers });
    const url = new URL(begun.headers.get("location") ?? "", base);
    url.searchParams.set("digest", digest);
    const octets = { ...headers, "content-type": "application/octet-stream" };
    await expectOk(await fetch(url, { method: "PUT", body: new Uint8Array(bytes), headers: octets }));
  }
  const { bytes, mediaType } = image.manifest;
  const typed = { ...headers, "content-type": mediaType };
  await expectOk(
    await fetch(`${base}/manifests/${tag}`, { method: "PUT", body: new Uint8Array(bytes), headers: typed }),
  );
  return `${host}/${repository}:${tag}`;
}

async function expectOk(answer: Response): Promise<void> {
  if (!answer.ok) throw new Error(`${answer.url} answered ${answer.status}: ${await answer.text()}`);
}
