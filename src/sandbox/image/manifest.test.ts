import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfig, readManifest } from "./manifest.ts";

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
const OCI = "application/vnd.oci.image.manifest.v1+json";

test("a manifest is read by its own type, or by the registry's", () => {
  const document = {
    config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: digest("c"), size: 7 },
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar+zstd", digest: digest("a"), size: 9 }],
  };
  const expected = {
    config: { digest: digest("c"), size: 7 },
    layers: [{ digest: digest("a"), size: 9, packing: "zstd" }],
  };
  assert.deepEqual(readManifest(bytes(document), OCI, "x86_64"), expected);
  assert.deepEqual(readManifest(bytes({ ...document, mediaType: OCI }), "text/plain", "x86_64"), expected);
  assert.throws(() => readManifest(bytes(document), "", "x86_64"), { problem: "unsupported" });
  assert.throws(() => readManifest(Buffer.from("<html>"), OCI, "x86_64"), { problem: "invalid" });
});

test("an index leads to the image of an architecture, past attestations", () => {
  const one = (architecture: string, letter: string) => ({
    mediaType: OCI,
    digest: digest(letter),
    size: 1,
    platform: { os: architecture === "unknown" ? "unknown" : "linux", architecture },
  });
  const index = bytes({ manifests: [one("unknown", "0"), one("arm64", "a"), one("amd64", "b")] });
  const type = "application/vnd.oci.image.index.v1+json";
  assert.deepEqual(readManifest(index, type, "arm64"), { elsewhere: digest("a") });
  assert.deepEqual(readManifest(index, type, "x86_64"), { elsewhere: digest("b") });
  assert.throws(() => readManifest(bytes({ manifests: [one("unknown", "0")] }), type, "arm64"), {
    problem: "unsupported",
    message: "the image is not there for linux/arm64; it is for nothing",
  });
});

test("a configuration without anything to run is one; with other layers than the manifest's it is none", () => {
  const rootfs = { diff_ids: [digest("a")] };
  assert.deepEqual(readConfig(bytes({ rootfs, config: null }), 1), {
    diffIds: [digest("a")],
    defaults: { entryPoint: [], command: [], workingDirectory: "", environment: [] },
  });
  assert.throws(() => readConfig(bytes({ rootfs }), 2), { problem: "invalid" });
  assert.throws(() => readConfig(bytes({ os: "windows", rootfs }), 1), { problem: "unsupported" });
});
