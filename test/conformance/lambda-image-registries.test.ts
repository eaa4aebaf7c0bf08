/** Where images come from: logins, what a registry may do wrong, and what a function's state says of it. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  CreateFunctionCommand,
  GetFunctionConfigurationCommand,
  UpdateFunctionCodeCommand,
} from "@aws-sdk/client-lambda";
import { waitUntilFunctionUpdatedV2 } from "@aws-sdk/client-lambda";
import { buildImage, content, descriptor, digestOf } from "../harness/image.ts";
import type { BuiltImage } from "../harness/image.ts";
import { startRegistry } from "../harness/registry.ts";
import type { TestRegistry } from "../harness/registry.ts";
import { createImage, failedImage, imagesMissing, shellImage } from "./image-setting.ts";
import { WAIT, startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";

describe("images and their registries", { skip: imagesMissing ?? false }, () => {
  let setting: Setting;
  let registry: TestRegistry;
  let folder: string;

  const LOGIN = { username: "someone", password: "pa:ss" };
  let basic: TestRegistry;
  let bearer: TestRegistry;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "lambent-registries-"));
    const authFile = join(folder, "config.json");
    [registry, basic, bearer] = await Promise.all([
      startRegistry(),
      startRegistry({ login: { kind: "basic", ...LOGIN } }),
      startRegistry({ login: { kind: "bearer", ...LOGIN } }),
    ]);
    await login(authFile, LOGIN.password);
    setting = await startSetting({ registryAuth: authFile });
  });
  after(async () => {
    await setting?.server.stop();
    await Promise.all([registry, basic, bearer].map((each) => each?.close()));
    await rm(folder, { recursive: true, force: true });
  });

  async function login(file: string, password: string): Promise<void> {
    const auth = Buffer.from(`${LOGIN.username}:${password}`).toString("base64");
    await writeFile(
      file,
      JSON.stringify({ auths: { [basic.host]: { auth }, [`http://${bearer.host}/v2/`]: { auth } } }),
    );
  }

  const create = (ImageUri: string) =>
    setting.lambda.send(
      new CreateFunctionCommand({
        FunctionName: "refused",
        PackageType: "Image",
        Code: { ImageUri },
        Role: setting.role,
      }),
    );

  test("CreateFunction with an image of a registry that wants a login: Basic, or a token for it", async () => {
    for (const each of [basic, bearer]) {
      const uri = each.put("private/app", "v1", shellImage(`echo 1`));
      assert.equal((await setting.invoke(await createImage(setting, uri))).value, 1);
    }
    assert.ok(
      bearer.requests.some((line) =>
        line.includes("/token?service=test&scope=repository%3Aprivate%2Fapp%3Apull"),
      ),
    );
    await login(join(folder, "config.json"), "wrong");
    for (const each of [basic, bearer])
      await assert.rejects(create(each.put("private/app", "v2", shellImage(`echo 2`))), {
        name: "AccessDeniedException",
        message: /^Lambda does not have permission to access the ECR image\. Check the ECR permissions\./,
      });
    await login(join(folder, "config.json"), LOGIN.password);
  });

  test("CreateFunction with an image whose login a credential helper knows", async (t) => {
    const path = process.env.PATH;
    t.after(async () => {
      process.env.PATH = path;
      await login(join(folder, "config.json"), LOGIN.password);
    });
    process.env.PATH = `${folder}:${path}`;
    const secret = JSON.stringify({ Username: LOGIN.username, Secret: LOGIN.password });
    const helper = (name: string, script: string) =>
      writeFile(join(folder, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    await helper("keys", `read -r server; [ "$1 $server" = "get ${basic.host}" ] && echo '${secret}'`);
    await helper("none", `echo "credentials not found in native keychain"; exit 1`);
    await helper("broken", `echo "no keychain" >&2; exit 1`);
    const uses = (settings: object) => writeFile(join(folder, "config.json"), JSON.stringify(settings));
    const auth = Buffer.from(`${LOGIN.username}:${LOGIN.password}`).toString("base64");

    await uses({ credsStore: "broken", credHelpers: { [basic.host]: "keys" } });
    assert.equal(
      (await setting.invoke(await createImage(setting, basic.put("helped/app", "v1", shellImage(`echo 3`)))))
        .value,
      3,
    );
    // What the store does not know may stand in the file.
    await uses({ credsStore: "none", auths: { [basic.host]: { auth } } });
    assert.equal(
      (await setting.invoke(await createImage(setting, basic.put("helped/app", "v2", shellImage(`echo 4`)))))
        .value,
      4,
    );
    for (const [store, said] of [
      ["broken", /docker-credential-broken failed: no keychain/],
      ["absent", /docker-credential-absent failed: .*ENOENT/],
      ["../evil", /"\.\.\/evil" is no name of a credential helper/],
    ] as const) {
      await uses({ credsStore: store });
      await assert.rejects(create(basic.put("helped/app", "v3", shellImage(`echo 5`))), { message: said });
    }
  });

  test("CreateFunction refuses an image that is not there, that nobody serves, or of a kind that Lambda does not run", async () => {
    const image = shellImage(`cat`);
    registry.put("team/kinds", "v1", image);
    let changed = 0;
    const other = (change: (manifest: { config: object; layers: object[]; mediaType: string }) => void) => {
      const manifest = JSON.parse(image.manifest.bytes.toString()) as {
        config: object;
        layers: object[];
        mediaType: string;
      };
      change(manifest);
      const made = content(Buffer.from(JSON.stringify(manifest)), image.manifest.mediaType);
      return registry.put("team/kinds", `changed-${++changed}`, { ...image, manifest: made });
    };
    const absent = `${registry.host}/team/kinds@${digestOf(Buffer.from("x"))}`;
    const notSupported =
      /^The image manifest, config or layer media type for the source image .* is not supported\./;
    const refusals: readonly [string, RegExp][] = [
      [
        `${registry.host}/team/kinds:v9`,
        /^Source image .*:v9 does not exist\. Provide a valid source image\. .*manifest unknown/,
      ],
      [absent, /does not exist/],
      [`${registry.host}/nobody/has:this`, /does not exist/],
      ["library/alpine:3", /no reference to an image/],
      ["localhost:1/app:v1", /could not be read.*no registry can be reached at localhost:1;/],
      [
        other((manifest) => (manifest.mediaType = "application/vnd.docker.distribution.manifest.v1+json")),
        notSupported,
      ],
      [
        other((manifest) =>
          Object.assign(manifest.config, { mediaType: "application/vnd.cncf.helm.config.v1+json" }),
        ),
        notSupported,
      ],
      [
        other((manifest) => Object.assign(manifest.layers[0] ?? {}, { mediaType: "application/x-squashfs" })),
        notSupported,
      ],
      [
        other((manifest) => Object.assign(manifest.layers[0] ?? {}, { digest: "sha256:../../x" })),
        /is not valid/,
      ],
      [
        other((manifest) => Object.assign(manifest.layers[0] ?? {}, { size: 11 * 1024 ** 3 })),
        /larger, unpacked, than/,
      ],
      [
        other((manifest) => (manifest.layers = Array.from({ length: 128 }, () => manifest.layers[0] ?? {}))),
        /at most 127 layers/,
      ],
    ];
    for (const [uri, message] of refusals)
      await assert.rejects(create(uri), { name: "InvalidParameterValueException", message });
  });

  test("CreateFunction with an image of a port of this machine tells not whether it answers, where that is no registry", async () => {
    const told = async (host: string) => {
      const error = await create(`${host}/team/app:v1`).catch((thrown: unknown) => thrown as Error);
      assert.ok(error instanceof Error);
      return `${error.name} ${error.message.replaceAll(host, "HOST")}`;
    };
    const refused = await told("localhost:1");
    const answers: ((response: ServerResponse) => void)[] = [
      (response) => response.writeHead(200, { "content-type": "text/html" }).end("<p>hello"),
      (response) => response.writeHead(404).end("nothing"),
      (response) => response.writeHead(401, { "www-authenticate": "Basic" }).end(),
      (response) => response.writeHead(500).end(),
      (response) => response.socket?.end("SSH-2.0-x\r\n"),
    ];
    const all = answers.map(async (answer) => {
      const service = createServer((_request, response) => answer(response)).listen(0, "127.0.0.1");
      await once(service, "listening");
      try {
        assert.equal(await told(`localhost:${(service.address() as AddressInfo).port}`), refused);
      } finally {
        service.close();
      }
    });
    await Promise.all(all);
    assert.match(
      refused,
      /^InvalidParameterValueException .*no registry can be reached at HOST; the server's log/,
    );
  });

  test("a registry without TLS is spoken to where it is of this machine, or named; another is not", async () => {
    // 0.0.0.0 is this machine too, and no loopback address by its name.
    const uri = registry.put("team/plain", "v1", shellImage(`echo 1`)).replace("localhost", "0.0.0.0");
    await assert.rejects(create(uri), { message: /could not be read/ });
    const own = await startSetting({ insecureRegistries: uri.split("/")[0] });
    try {
      await createImage(own, uri);
    } finally {
      await own.server.stop();
    }
    registry.intercept = (request, response) => {
      if (request.url?.includes("elsewhere"))
        response.writeHead(302, { location: "http://registry.invalid/v2/" }).end();
      return request.url?.includes("elsewhere") === true;
    };
    await assert.rejects(create(`${registry.host}/elsewhere/app:v1`), {
      message: /registry\.invalid cannot be reached/,
    });
    registry.intercept = (_request, response) => {
      response.writeHead(401, { "www-authenticate": 'Bearer realm="no address"' }).end();
      return true;
    };
    await assert.rejects(create(`${registry.host}/odd/app:v1`), { message: /an answer that cannot be read/ });
    registry.intercept = () => false;
  });

  describe("what becomes of a function whose image cannot be had", () => {
    const layer = (image: BuiltImage) => image.blobs.at(-1)?.digest ?? "";

    test("CreateFunction of an image with a layer of another digest, or that unpacks to another, ends Failed: InvalidImage", async () => {
      // Content that no other test has: what is here by its digest is not fetched.
      const image = shellImage(`echo 1 # wrong`);
      const uri = registry.put("team/wrong", "v1", image);
      const right = image.blobs.at(-1)?.bytes ?? Buffer.alloc(0);
      const wrong = Buffer.from(right);
      wrong[wrong.length - 5] = (wrong[wrong.length - 5] ?? 0) ^ 1;
      registry.replace(`team/wrong/${layer(image)}`, wrong);
      const failed = await failedImage(setting, uri);
      assert.equal(failed.State, "Failed");
      assert.equal(failed.StateReasonCode, "InvalidImage");
      assert.match(String(failed.StateReason), /has another digest|cannot be unpacked/);
      assert.equal(failed.LastUpdateStatusReasonCode, "InvalidImage");
      const invocation = setting.invoke(String(failed.FunctionName));
      await assert.rejects(invocation, { name: "ResourceConflictException", message: /state: Failed/ });
      // The same content whole, by the same name: a new update is a new try.
      registry.replace(`team/wrong/${layer(image)}`, right);
      const FunctionName = String(failed.FunctionName);
      await setting.lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ImageUri: uri }));
      await waitUntilFunctionUpdatedV2({ client: setting.lambda, ...WAIT }, { FunctionName });
      assert.equal((await setting.invoke(FunctionName)).value, 1);

      const other = shellImage(`echo 2`);
      const config = JSON.parse(other.blobs[0]?.bytes.toString() ?? "") as { rootfs: { diff_ids: string[] } };
      config.rootfs.diff_ids[1] = digestOf(Buffer.from("another"));
      const lie = content(Buffer.from(JSON.stringify(config)), other.blobs[0]?.mediaType ?? "");
      const manifest = {
        ...(JSON.parse(other.manifest.bytes.toString()) as object),
        config: descriptor(lie),
      };
      const lied = {
        manifest: content(Buffer.from(JSON.stringify(manifest)), other.manifest.mediaType),
        blobs: [lie, ...other.blobs.slice(1)],
      };
      const lying = await failedImage(setting, registry.put("team/wrong", "v2", lied));
      assert.equal(lying.StateReasonCode, "InvalidImage");
      assert.match(String(lying.StateReason), /does not unpack to sha256:/);
    });

    test("CreateFunction of an image whose layers are gone or denied ends Failed: ImageDeleted, ImageAccessDenied", async () => {
      const gone = shellImage(`echo gone`);
      const uri = registry.put("team/gone", "v1", gone);
      registry.replace(`team/gone/${layer(gone)}`, undefined);
      assert.equal((await failedImage(setting, uri)).StateReasonCode, "ImageDeleted");

      const denied = shellImage(`echo denied`);
      registry.intercept = (request, response) => {
        const isDenied = request.url?.includes(layer(denied)) === true;
        if (isDenied) response.writeHead(403).end();
        return isDenied;
      };
      const state = await failedImage(setting, registry.put("team/denied", "v1", denied));
      assert.equal(state.StateReasonCode, "ImageAccessDenied");
      assert.match(String(state.StateReason), /denies access to team\/denied/);
      registry.intercept = () => false;
    });

    test("CreateFunction of an image that leads out of itself, or brings devices, ends Failed: InvalidImage", async () => {
      const cases = [
        [{ "../outside": "x" }, /leads out of the image/],
        [{ "a/": { folder: true }, "a/sda": { type: "4" } }, /device or a pipe/],
        [{ hard: { hardLink: "/etc/passwd" } }, /a link to \/etc\/passwd, which its layer does not have/],
        [{ one: { link: "two" }, two: { link: "one" }, "one/x": "x" }, /circle of links/],
        [{ file: "x", "file/inner": "x" }, /what is no folder/],
        [{ x: { type: "S" } }, /not supported/],
      ] as const;
      for (const [index, [files, reason]] of cases.entries()) {
        const image = buildImage({ layers: [{ files }], config: { Cmd: ["/x"] } });
        const failed = await failedImage(setting, registry.put("team/evil", `v${index}`, image));
        assert.equal(failed.StateReasonCode, "InvalidImage");
        assert.match(String(failed.StateReason), reason);
      }
    });

    test("UpdateFunctionCode with an image that cannot be had leaves what ran before", async () => {
      const name = await createImage(setting, registry.put("team/update", "v1", shellImage(`echo 1`)));
      const second = shellImage(`echo 2`);
      const uri = registry.put("team/update", "v2", second);
      registry.replace(`team/update/${layer(second)}`, undefined);
      await setting.lambda.send(new UpdateFunctionCodeCommand({ FunctionName: name, ImageUri: uri }));
      await assert.rejects(
        waitUntilFunctionUpdatedV2({ client: setting.lambda, ...WAIT }, { FunctionName: name }),
      );
      const told = await setting.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
      assert.deepEqual(
        [told.State, told.LastUpdateStatus, told.LastUpdateStatusReasonCode],
        ["Active", "Failed", "ImageDeleted"],
      );
      assert.equal((await setting.invoke(name)).value, 1);
    });
  });

  test("a transfer that breaks goes on where it broke; a registry that is busy is asked again", async () => {
    const noise = randomBytes(400_000);
    const image = shellImage(`echo 1`, { files: { noise } });
    const uri = registry.put("team/broken-off", "v1", image);
    const big = image.blobs.at(-1);
    const ranges: string[] = [];
    let busy = 2;
    registry.intercept = (request, response) => {
      if (request.url?.endsWith("/manifests/v1") && busy-- > 0) {
        response.writeHead(busy === 1 ? 503 : 429, { "retry-after": "0" }).end();
        return true;
      }
      if (!request.url?.includes(big?.digest ?? "")) return false;
      ranges.push(request.headers.range ?? "");
      if (ranges.length > 2) return false;
      const from = Number(/\d+/.exec(request.headers.range ?? "0")?.[0]);
      response.writeHead(from > 0 ? 206 : 200, { "content-length": (big?.bytes.length ?? 0) - from });
      response.write(big?.bytes.subarray(from, from + 100_000));
      setTimeout(() => response.destroy(), 50);
      return true;
    };
    assert.equal((await setting.invoke(await createImage(setting, uri))).value, 1);
    assert.deepEqual(ranges, ["", "bytes=100000-", "bytes=200000-"]);
    registry.intercept = () => false;
  });
});
