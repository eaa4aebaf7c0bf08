import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { filesBeside } from "../scenario.ts";
import type { Scenario } from "../scenario.ts";

const files = filesBeside(import.meta.url);
const hostAddresses = Object.values(networkInterfaces())
  .flat()
  .filter((one) => one?.family === "IPv4")
  .map((one) => one?.address ?? "");

export const scenario: Scenario = {
  title: "a function reaches the endpoint, and no other sandbox, other port of the host or cloud metadata",
  functions: { visitor: { files, timeoutSeconds: 60 }, other: { files, timeoutSeconds: 60 } },
  async run(stage) {
    const decoy = createServer((socket) => socket.end("host")).listen(0, "0.0.0.0");
    await once(decoy, "listening");
    try {
      const { port } = decoy.address() as AddressInfo;
      const { addresses } = (await stage.invoke("other", { targets: [] })).json;
      assert.ok(addresses.length > 0);
      const targets = [
        ...addresses.map((address: string) => `${address}:9000`),
        ...["gateway", ...hostAddresses].map((address) => `${address}:${port}`),
        "gateway:22",
        "169.254.169.254:80",
        "169.254.170.2:80",
      ];
      const visit = (await stage.invoke("visitor", { targets })).json;
      // Where every sandbox has the same address, what answers there is the visitor itself.
      const own = new Set(visit.addresses.map((address: string) => `${address}:9000`));
      const reached = Object.keys(visit.results).filter(
        (target) => visit.results[target] === "connected" && !own.has(target),
      );
      assert.deepEqual(reached, ["endpoint"]);
    } finally {
      decoy.close();
    }
  },
};
