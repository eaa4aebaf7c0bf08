/** The AWS CLI and skopeo against ECR and its registry: what docker push and docker pull do, by a client that is not ours. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { start } from "../../src/index.ts";
import type { Running } from "../../src/index.ts";
import { makeImage, writeLayout } from "../harness/ecr.ts";

const run = promisify(execFile);
const folders = ["/usr/bin", ...(process.env["PATH"] ?? "").split(":")];
const find = (name: string) => folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
const CLI = find("aws");
const SKOPEO = find("skopeo");

let server: Running;
let host: string;
let folder: string;
let environment: Record<string, string | undefined>;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "lambent-ecr-"));
  server = await start({ auth: "on", sandbox: "process" });
  ({ host } = new URL(server.endpoint));
  environment = {
    PATH: process.env["PATH"],
    HOME: folder,
    REGISTRY_AUTH_FILE: join(folder, "auth.json"),
    AWS_SHARED_CREDENTIALS_FILE: server.credentialsFile,
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_PAGER: "",
  };
});
after(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

async function aws(...words: string[]): Promise<string> {
  const all = ["ecr", ...words, "--endpoint-url", server.endpoint, "--output", "json"];
  return (await run(CLI ?? "", all, { env: environment })).stdout;
}

async function skopeo(command: string, ...words: string[]): Promise<string> {
  return (await run(SKOPEO ?? "", ["--insecure-policy", command, ...words], { env: environment })).stdout;
}

const missing = [
  ...(CLI ? [] : ["no AWS CLI on this machine: apt-get install awscli"]),
  ...(SKOPEO ? [] : ["no skopeo on this machine: apt-get install skopeo"]),
].join("; ");

test(
  "aws ecr get-login-password, create-repository and skopeo: an image is pushed, looked at, pulled and deleted",
  { skip: missing === "" ? false : missing },
  async () => {
    const image = makeImage();
    await writeLayout(join(folder, "layout"), image, "v1");
    const made = JSON.parse(await aws("create-repository", "--repository-name", "cli/app")) as {
      repository: { repositoryUri: string };
    };
    assert.equal(made.repository.repositoryUri, `${host}/cli/app`);
    const password = (await aws("get-login-password")).trim();
    await skopeo("login", "--tls-verify=false", "--username", "AWS", "--password", password, host);
    const uri = `docker://${host}/cli/app`;
    await skopeo("copy", "--dest-tls-verify=false", `oci:${folder}/layout:v1`, `${uri}:v1`);
    await skopeo(
      "copy",
      "--dest-tls-verify=false",
      "--format",
      "v2s2",
      `oci:${folder}/layout:v1`,
      `${uri}:docker`,
    );
    const tags = JSON.parse(await skopeo("list-tags", "--tls-verify=false", uri)) as { Tags: string[] };
    assert.deepEqual(tags.Tags, ["docker", "v1"]);
    const raw = await skopeo("inspect", "--tls-verify=false", "--raw", `${uri}:v1`);
    assert.equal(raw, image.manifest.bytes.toString());
    await skopeo("copy", "--src-tls-verify=false", `${uri}@${image.manifest.digest}`, `dir:${folder}/pulled`);
    const names = await readdir(join(folder, "pulled"));
    for (const { bytes, digest } of [image.config, ...image.layers]) {
      const name = digest.replace("sha256:", "");
      assert.ok(names.includes(name));
      assert.deepEqual(await readFile(join(folder, "pulled", name)), bytes);
    }
    const { imageDetails } = JSON.parse(await aws("describe-images", "--repository-name", "cli/app")) as {
      imageDetails: { imageTags: string[]; imageManifestMediaType: string }[];
    };
    assert.deepEqual(
      imageDetails.map((one) => `${one.imageTags.join()} ${one.imageManifestMediaType}`).sort(),
      [
        "docker application/vnd.docker.distribution.manifest.v2+json",
        "v1 application/vnd.oci.image.manifest.v1+json",
      ],
    );
    await skopeo("delete", "--tls-verify=false", `${uri}:docker`);
    const { imageIds } = JSON.parse(await aws("list-images", "--repository-name", "cli/app")) as {
      imageIds: { imageTag: string }[];
    };
    assert.deepEqual(
      imageIds.map((one) => one.imageTag),
      ["v1"],
    );
    await assert.rejects(
      skopeo("copy", "--dest-tls-verify=false", `oci:${folder}/layout:v1`, `docker://${host}/ghost:v1`),
      /name unknown: The repository with name 'ghost' does not exist in the registry with id '000000000000'/,
    );
    await skopeo("logout", host);
    await assert.rejects(
      skopeo("inspect", "--tls-verify=false", "--raw", `${uri}:v1`),
      /unauthorized|authentication required/i,
    );
  },
);

test(
  "what Terraform calls for a repository, its policy and its lifecycle policy, by the AWS CLI",
  { skip: CLI ? false : "no AWS CLI on this machine: apt-get install awscli" },
  async () => {
    const named = ["--repository-name", "tf/app"];
    const read = async <T>(...words: string[]) => JSON.parse(await aws(...words)) as T;
    const settings = ["--image-tag-mutability", "IMMUTABLE", "--tags", "Key=a,Value=b"];
    const made = await read<{ repository: { repositoryArn: string; imageTagMutability: string } }>(
      "create-repository",
      ...named,
      ...settings,
    );
    assert.equal(made.repository.imageTagMutability, "IMMUTABLE");
    const Statement = [{ Effect: "Allow", Principal: "*", Action: ["ecr:BatchGetImage"] }];
    const policyText = JSON.stringify({ Version: "2012-10-17", Statement });
    const selection = { tagStatus: "any", countType: "imageCountMoreThan", countNumber: 5 };
    const rule = { rulePriority: 1, description: "five", selection, action: { type: "expire" } };
    const lifecyclePolicyText = JSON.stringify({ rules: [rule] });
    const [tags] = await Promise.all([
      read<object>("list-tags-for-resource", "--resource-arn", made.repository.repositoryArn),
      aws("set-repository-policy", ...named, "--policy-text", policyText),
      aws("put-lifecycle-policy", ...named, "--lifecycle-policy-text", lifecyclePolicyText),
    ]);
    assert.deepEqual(tags, { tags: [{ Key: "a", Value: "b" }] });
    const [described, policy, lifecycle] = await Promise.all([
      read<{ repositories: object[] }>("describe-repositories", "--repository-names", "tf/app"),
      read<object>("get-repository-policy", ...named),
      read<{ lifecyclePolicyText: string }>("get-lifecycle-policy", ...named),
    ]);
    assert.deepEqual(described.repositories, [made.repository]);
    assert.deepEqual(policy, { registryId: "000000000000", repositoryName: "tf/app", policyText });
    assert.equal(lifecycle.lifecyclePolicyText, lifecyclePolicyText);
    await aws("delete-lifecycle-policy", ...named);
    const [deleted, refused] = await Promise.allSettled([
      aws("delete-repository-policy", ...named),
      aws("get-lifecycle-policy", ...named),
    ]);
    assert.equal(deleted.status, "fulfilled");
    assert.match(
      refused.status === "rejected" ? String(refused.reason) : "",
      /\(LifecyclePolicyNotFoundException\) when calling the GetLifecyclePolicy operation/,
    );
  },
);
