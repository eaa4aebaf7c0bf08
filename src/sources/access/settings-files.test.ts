import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { rootCertificates } from "node:tls";
import { BrokerAddresses } from "./broker-addresses.ts";
import { Secrets } from "./secrets.ts";

let folder: string;
let file: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "lambent-settings-"));
  file = join(folder, "file.json");
});
after(() => rm(folder, { recursive: true, force: true }));

test("addresses: what is missing or wrong is told with the entry and the file", async () => {
  const [cluster, broker] = ["arn:aws:kafka:r:1:cluster/c/1", "arn:aws:mq:r:1:broker:b:b-1"];
  await assert.rejects(new BrokerAddresses(undefined).msk(cluster), /name a file of brokers with --brokers/);
  const addresses = new BrokerAddresses(file);
  const fails = async (content: string, asking: () => Promise<unknown>, message: RegExp) => {
    await writeFile(file, content);
    await assert.rejects(asking, message);
  };
  await assert.rejects(addresses.msk(cluster), /file\.json cannot be read: ENOENT/);
  await fails("{", () => addresses.msk(cluster), /is no JSON/);
  await fails("[]", () => addresses.msk(cluster), /holds no JSON object/);
  await fails("{}", () => addresses.msk(cluster), /has no entry "arn:aws:kafka:r:1:cluster\/c\/1"/);
  const entry = (key: string, value: object) => JSON.stringify({ [key]: value });
  await fails(
    entry(cluster, { bootstrapServers: "h:1" }),
    () => addresses.msk(cluster),
    /needs "bootstrapServers"/,
  );
  await fails(
    entry(cluster, { bootstrapServers: ["h"] }),
    () => addresses.msk(cluster),
    /needs "bootstrapServers"/,
  );
  await fails(
    entry(cluster, { bootstrapServers: ["h:1"], tls: 1 }),
    () => addresses.msk(cluster),
    /"tls" is true/,
  );
  await fails(entry(broker, { engine: "Other" }), () => addresses.mq(broker), /needs "engine"/);
  await fails(
    entry(broker, { engine: "RabbitMQ", endpoint: "http://h" }),
    () => addresses.mq(broker),
    /"endpoint"/,
  );
  await writeFile(file, JSON.stringify({ "h:1": { tls: true }, [cluster]: { bootstrapServers: ["h:1"] } }));
  assert.deepEqual(await addresses.selfManaged(["g:1", "h:1"]), {
    bootstrapServers: ["g:1", "h:1"],
    tls: true,
    ca: undefined,
  });
  const silent = { tls: undefined, ca: undefined };
  assert.deepEqual(await addresses.selfManaged(["g:1"]), { bootstrapServers: ["g:1"], ...silent });
  assert.deepEqual(await addresses.msk(cluster), { bootstrapServers: ["h:1"], ...silent });
  const own = { engine: "RabbitMQ", endpoint: "amqps://h" };
  await fails(
    entry(broker, { ...own, ca: "/etc/ca.pem" }),
    () => addresses.mq(broker),
    /"ca" is the text of/,
  );
  const [ca = assert.fail()] = rootCertificates;
  const plain = { ...own, endpoint: "amqp://h", ca };
  await fails(entry(broker, plain), () => addresses.mq(broker), /"ca" goes with an endpoint "amqps/);
  const untrue = { bootstrapServers: ["h:1"], tls: false, ca };
  await fails(entry(cluster, untrue), () => addresses.msk(cluster), /"ca" does not go with "tls": false/);
  await writeFile(file, entry(broker, { ...own, ca }));
  assert.equal((await addresses.mq(broker)).ca, ca);
});

test("secrets: only from a file of the owner's, and never told", async () => {
  await assert.rejects(new Secrets(undefined).read("arn", []), /name a file of secrets with --secrets/);
  await writeFile(file, JSON.stringify({ arn: { username: "u", password: 7, extra: "e" } }));
  await chmod(file, 0o640);
  const secrets = new Secrets(file);
  await assert.rejects(secrets.read("arn", []), /may be read by others than its owner: chmod 600/);
  await chmod(file, 0o600);
  await assert.rejects(secrets.read("other", []), /has no secret "other"/);
  await assert.rejects(
    secrets.read("arn", ["username", "password"]),
    /^Error: the secret arn has no text "password"$/,
  );
  assert.deepEqual(await secrets.read("arn", ["username"], ["missing", "extra"]), {
    username: "u",
    extra: "e",
  });
});
