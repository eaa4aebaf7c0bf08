/** The host's own network, for rootless sandboxes: nothing is isolated, and the provider says so. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { Server } from "node:net";
import { hostname } from "node:os";
import { SandboxError } from "../sandbox.ts";
import type { Network } from "./network.ts";

/** Builds the network that is not one. */
export async function createHostNetwork(): Promise<Network> {
  return {
    kind: "host",
    addresses: "host",
    resolvConf: await readFile("/etc/resolv.conf", "utf8").catch(() => ""),
    take() {
      let server: Server | undefined;
      return Promise.resolve({
        namespace: "host",
        address: "127.0.0.1",
        hostname: hostname(),
        hosts: "127.0.0.1 localhost sandbox.localdomain sandbox\n",
        addressOf: (port) => `127.0.0.1:${port}`,
        credentials: undefined,
        async openRuntimeApi(onConnection) {
          server = createServer(onConnection);
          return `127.0.0.1:${await listenOnLoopback(server)}`;
        },
        release() {
          server?.close();
          return Promise.resolve();
        },
      });
    },
    close: () => Promise.resolve(),
  };
}

/** Listens on 127.0.0.1. @param wanted The port, where it is free. @returns the port. */
export async function listenOnLoopback(server: Server, wanted = 0): Promise<number> {
  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", () => resolve(void server.off("error", reject)));
    });
  await listen(wanted).catch(() => listen(0));
  const address = server.address();
  if (address === null || typeof address === "string") throw new SandboxError("a listener has no port");
  return address.port;
}
