/** A network namespace for each sandbox, joined to the host by one veth pair, prepared ahead; the firewall decides the rest. */
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import type { Log } from "../../telemetry/log.ts";
import { runProgram, tryProgram } from "../run-program.ts";
import { SandboxError } from "../sandbox.ts";
import { Stock } from "../stock.ts";
import { BLOCK_SIZE, claimBlock } from "./address-block.ts";
import type { AddressBlock } from "./address-block.ts";
import { GATEWAY, INTERFACE_PREFIX, lambentTables, lowerFirewall, raiseFirewall } from "./firewall.ts";
import { allowForwarding, setInterface, withdrawForwarding } from "./forwarding.ts";
import { listenOnLoopback } from "./host-network.ts";
import type { Attachment, Network } from "./network.ts";
import { hostResolvers, resolvConf } from "./resolvers.ts";

export interface IsolatedNetworkDeps {
  /** Eight hexadecimal characters that name this server on this machine. */
  readonly instance: string;
  readonly serverPorts: readonly number[];
  readonly outbound: "internet" | "none";
  /** Slots kept ready. */
  readonly ready: number;
  readonly log: Log;
}

/** Locally administered addresses; every link has the same two, so that no sandbox ever asks who has which. */
const HOST_MAC = "02:4c:4d:42:00:01";
const SANDBOX_MAC = "02:4c:4d:42:00:02";

interface Slot {
  readonly number: number;
  readonly address: string;
}

/** Raises the firewall and begins to prepare slots. @throws SandboxError when the machine lacks the tools or the right. */
export async function createIsolatedNetwork(deps: IsolatedNetworkDeps): Promise<Network> {
  const resolvers = deps.outbound === "internet" ? await hostResolvers() : [];
  const block = await claimBlock(Number.parseInt(deps.instance, 16) / 2 ** 32);
  const callers = new Map<string, (socket: Socket) => void>();
  const runtimeApi = createServer((socket) => {
    const handler = callers.get(socket.remoteAddress ?? "");
    if (handler) handler(socket);
    else socket.destroy();
  });
  const runtimeApiPort = await listenOnLoopback(runtimeApi);
  try {
    await raiseFirewall({
      table: tableName(deps.instance),
      interfaces: interfacePrefix(deps.instance),
      cidr: block.cidr,
      ports: [...new Set([...deps.serverPorts, runtimeApiPort])],
      resolvers,
      outbound: deps.outbound,
      guarded: deps.outbound === "internet" ? await allowForwarding() : [],
    });
  } catch (error) {
    runtimeApi.close();
    await block.release();
    throw error;
  }
  return new IsolatedNetwork(
    deps,
    block,
    runtimeApi,
    runtimeApiPort,
    callers,
    resolvConf(resolvers, GATEWAY),
  );
}

class IsolatedNetwork implements Network {
  readonly kind = "isolated";
  readonly resolvConf: string;
  readonly #deps: IsolatedNetworkDeps;
  readonly #block: AddressBlock;
  readonly #runtimeApi: Server;
  readonly #runtimeApiPort: number;
  readonly #callers: Map<string, (socket: Socket) => void>;
  readonly #stock: Stock<Slot>;
  readonly #used = new Set<number>();
  #last = 0;

  constructor(
    deps: IsolatedNetworkDeps,
    block: AddressBlock,
    runtimeApi: Server,
    runtimeApiPort: number,
    callers: Map<string, (socket: Socket) => void>,
    resolvConf: string,
  ) {
    this.#deps = deps;
    this.#block = block;
    this.#runtimeApi = runtimeApi;
    this.#runtimeApiPort = runtimeApiPort;
    this.#callers = callers;
    this.resolvConf = resolvConf;
    this.#stock = new Stock({
      name: "network slot",
      target: deps.ready,
      make: () => this.#make(),
      destroy: (slot) => this.#destroy(slot),
      log: deps.log,
    });
    this.#stock.fill();
  }

  async take(): Promise<Attachment> {
    const slot = await this.#stock.take();
    const hostname = `169-254-${100 + Math.floor(slot.number / 256)}-${slot.number % 256}`;
    return {
      namespace: `/run/netns/${this.#namespace(slot.number)}`,
      address: slot.address,
      hostname,
      hosts: `127.0.0.1 localhost\n${slot.address} ${hostname} sandbox.localdomain sandbox\n`,
      addressOf: (port) => `${GATEWAY}:${port}`,
      openRuntimeApi: (onConnection) => {
        this.#callers.set(slot.address, onConnection);
        return Promise.resolve(`${GATEWAY}:${this.#runtimeApiPort}`);
      },
      release: () => this.#destroy(slot),
    };
  }

  async close(): Promise<void> {
    await this.#stock.close();
    this.#runtimeApi.close();
    await lowerFirewall(tableName(this.#deps.instance));
    await this.#block.release();
    if ((await lambentTables()).length === 0) await withdrawForwarding();
  }

  async #make(): Promise<Slot> {
    const number = this.#freeNumber();
    const address = this.#block.address(number);
    const [namespace, link] = [this.#namespace(number), this.#interface(number)];
    this.#used.add(number);
    try {
      await runProgram("ip", ["-batch", "-"], hostCommands(namespace, link, address));
      await Promise.all([
        runProgram("ip", ["-n", namespace, "-batch", "-"], sandboxCommands(address)),
        setInterface(link, "route_localnet", "1"),
        setInterface(link, "rp_filter", "1"),
        // Without outbound traffic too: what may not be forwarded must reach the rules that refuse it at once.
        setInterface(link, "forwarding", "1"),
        silenceIpv6(link),
      ]);
    } catch (error) {
      await this.#destroy({ number, address });
      throw error;
    }
    return { number, address };
  }

  async #destroy(slot: Slot): Promise<void> {
    this.#callers.delete(slot.address);
    const commands = `link del ${this.#interface(slot.number)}\nnetns del ${this.#namespace(slot.number)}\n`;
    await tryProgram("ip", ["-force", "-batch", "-"], commands);
    this.#used.delete(slot.number);
  }

  /** Goes round, so that an address rests before it is used again. */
  #freeNumber(): number {
    const slots = BLOCK_SIZE - 2;
    for (let i = 0; i < slots; i++) {
      this.#last = (this.#last % slots) + 1;
      if (!this.#used.has(this.#last)) return this.#last;
    }
    throw new SandboxError(`all ${slots} network slots are in use`);
  }

  #namespace(number: number): string {
    return `${tableName(this.#deps.instance)}-${number}`;
  }

  #interface(number: number): string {
    return `${interfacePrefix(this.#deps.instance)}${number}`;
  }
}

/** The nftables table of a server, and the beginning of its network namespaces' names. */
export function tableName(instance: string): string {
  return `lambent-${instance}`;
}

/** Interface names have 15 characters: the prefix, seven of the instance, and up to four digits and a stop. */
export function interfacePrefix(instance: string): string {
  return `${INTERFACE_PREFIX}${instance.slice(0, 7)}-`;
}

function hostCommands(namespace: string, link: string, address: string): string {
  return [
    `netns add ${namespace}`,
    `link add ${link} address ${HOST_MAC} type veth peer name eth0 address ${SANDBOX_MAC} netns ${namespace}`,
    `link set ${link} up`,
    `route add ${address}/32 dev ${link}`,
    `neigh replace ${address} lladdr ${SANDBOX_MAC} dev ${link} nud permanent`,
    "",
  ].join("\n");
}

function sandboxCommands(address: string): string {
  return [
    "link set lo up",
    `addr add ${address}/32 dev eth0`,
    "link set eth0 up",
    `route add ${GATEWAY} dev eth0 scope link`,
    `route add default via ${GATEWAY} dev eth0`,
    `neigh replace ${GATEWAY} lladdr ${HOST_MAC} dev eth0 nud permanent`,
    "",
  ].join("\n");
}

async function silenceIpv6(link: string): Promise<void> {
  const setting = `/proc/sys/net/ipv6/conf/${link}/disable_ipv6`;
  if (existsSync(setting)) await writeFile(setting, "1");
}
