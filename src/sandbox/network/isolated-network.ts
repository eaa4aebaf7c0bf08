/** A network namespace for each sandbox, joined to the host by a link, with its own packet rules; prepared ahead of use. */
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Outbound } from "../../config/outbound.ts";
import type { Log } from "../../telemetry/log.ts";
import { tryProgram } from "../run-program.ts";
import { SandboxError } from "../sandbox.ts";
import { BLOCK_SIZE, claimBlock } from "./address-block.ts";
import type { AddressBlock } from "./address-block.ts";
import { forwardingObstacles } from "./other-firewalls.ts";
import { openResolver } from "./resolver.ts";
import type { Resolver } from "./resolver.ts";
import {
  CREDENTIALS,
  GATEWAY,
  INTERFACE_PREFIX,
  lambentTables,
  lowerFirewall,
  raiseFirewall,
} from "./firewall.ts";
import { allowForwarding, withdrawForwarding } from "./forwarding.ts";
import { listenOnLoopback } from "./host-network.ts";
import type { Attachment, Network } from "./network.ts";
import { INNER_INTERFACE, makeSlots, removeNamespaces } from "./slot-script.ts";
import type { SlotPlan } from "./slot-script.ts";
import { SlotStock } from "./slot-stock.ts";
import { slotRules } from "./slot-rules.ts";
import type { SlotPolicy } from "./slot-rules.ts";

export interface IsolatedNetworkDeps {
  /** Eight hexadecimal characters that name this server on this machine. */
  readonly instance: string;
  readonly stateDir: string;
  readonly serverPorts: readonly number[];
  readonly outbound: Outbound;
  /** Name servers to ask instead of the host's. */
  readonly resolvers: readonly string[];
  /**
   * The sandbox sends frames of its own making (gVisor's network stack), which the rules of its own namespace never see: they stand
   * in a router's namespace before it.
   */
  readonly behindRouter: boolean;
  /** Slots kept ready. */
  readonly ready: number;
  readonly log: Log;
}

/** How long a number rests before it is used again, in milliseconds: the kernel may still be removing the last interface of its name. */
const REST_MS = 2_000;
/** How long the kernel may take to remove interfaces, in milliseconds. */
const REMOVAL_MS_MAX = 10_000;

/** Raises the firewall and begins to prepare slots. @throws SandboxError when the machine lacks the tools or the right. */
export async function createIsolatedNetwork(deps: IsolatedNetworkDeps): Promise<Network> {
  const block = await claimBlock(Number.parseInt(deps.instance, 16) / 2 ** 32);
  const callers = new Map<string, (socket: Socket) => void>();
  const runtimeApi = createServer((socket) => {
    const handler = callers.get(socket.remoteAddress ?? "");
    if (handler) handler(socket);
    else socket.destroy();
  });
  const runtimeApiPort = await (deps.behindRouter
    ? listenAsBefore(runtimeApi, deps)
    : listenOnLoopback(runtimeApi));
  const resolver = await openResolver(deps.outbound, deps.resolvers, deps.log);
  const outside = deps.outbound.policy !== "none";
  const ports = [...new Set([...deps.serverPorts, runtimeApiPort])];
  try {
    await raiseFirewall({
      table: tableName(deps.instance),
      interfaces: interfacePrefix(deps.instance),
      cidr: block.cidr,
      ports,
      credentials: deps.behindRouter ? runtimeApiPort : undefined,
      resolver: resolver.atGateway,
      outside,
      guarded: outside ? await allowForwarding() : [],
    });
  } catch (error) {
    runtimeApi.close();
    resolver.close();
    await block.release();
    throw error;
  }
  if (outside) for (const obstacle of await forwardingObstacles()) deps.log.warn(obstacle);
  const policy = {
    ports,
    resolvers: resolver.direct,
    resolverAtGateway: resolver.atGateway !== undefined,
    credentials: deps.behindRouter,
    outbound: deps.outbound,
  };
  return new IsolatedNetwork(deps, policy, block, resolver, {
    server: runtimeApi,
    port: runtimeApiPort,
    callers,
  });
}

/** At the port of the server before, where that is free: functions that gVisor restores know it. */
async function listenAsBefore(
  server: Server,
  { stateDir }: Pick<IsolatedNetworkDeps, "stateDir">,
): Promise<number> {
  const file = join(stateDir, "runtime-api-port");
  const before = Number(await readFile(file, "utf8").catch(() => "0"));
  const port = await listenOnLoopback(server, before);
  if (port !== before) await writeFile(file, String(port));
  return port;
}

interface RuntimeApiListener {
  readonly server: Server;
  readonly port: number;
  /** Address of a sandbox → who serves its connections. */
  readonly callers: Map<string, (socket: Socket) => void>;
}

interface Slot {
  readonly number: number;
  readonly plan: SlotPlan;
}

class IsolatedNetwork implements Network {
  readonly kind = "isolated";
  readonly resolvConf: string;
  readonly addresses: string;
  readonly #deps: IsolatedNetworkDeps;
  readonly #policy: SlotPolicy;
  readonly #block: AddressBlock;
  readonly #resolver: Resolver;
  readonly #runtimeApi: RuntimeApiListener;
  readonly #stock: SlotStock<Slot>;
  readonly #used = new Set<number>();
  readonly #removal = new Removal();
  #last = 0;

  constructor(
    deps: IsolatedNetworkDeps,
    policy: SlotPolicy,
    block: AddressBlock,
    resolver: Resolver,
    runtimeApi: RuntimeApiListener,
  ) {
    this.#deps = deps;
    this.#policy = policy;
    this.#block = block;
    this.#resolver = resolver;
    this.#runtimeApi = runtimeApi;
    this.resolvConf = resolver.resolvConf;
    this.addresses = `${GATEWAY}:${runtimeApi.port}`;
    this.#stock = new SlotStock({ target: deps.ready, make: (count) => this.#make(count), log: deps.log });
  }

  async take(): Promise<Attachment> {
    const slot = await this.#stock.take();
    const { address, namespace, inner } = slot.plan;
    const hostname = `169-254-${100 + Math.floor(slot.number / 256)}-${slot.number % 256}`;
    this.#resolver.attach(address, namespace);
    return {
      namespace: `/run/netns/${inner ?? namespace}`,
      address,
      hostname,
      hosts: `127.0.0.1 localhost\n${address} ${hostname} sandbox.localdomain sandbox\n`,
      addressOf: (port) => `${GATEWAY}:${port}`,
      credentials: this.#deps.behindRouter ? CREDENTIALS : undefined,
      openRuntimeApi: (onConnection) => {
        this.#runtimeApi.callers.set(address, onConnection);
        return Promise.resolve(`${GATEWAY}:${this.#runtimeApi.port}`);
      },
      release: () => this.#remove([slot]),
    };
  }

  async close(): Promise<void> {
    await this.#remove(await this.#stock.close());
    this.#runtimeApi.server.close();
    this.#resolver.close();
    await interfacesGone(this.#deps.instance);
    await lowerFirewall(tableName(this.#deps.instance));
    await this.#block.release();
    if ((await lambentTables()).length === 0) await withdrawForwarding();
  }

  async #make(count: number): Promise<Slot[]> {
    const slots = Array.from({ length: count }, () => this.#plan(this.#freeNumber()));
    try {
      await makeSlots(slots.map((slot) => slot.plan));
    } catch (error) {
      await this.#remove(slots);
      throw error;
    }
    return slots;
  }

  #plan(number: number): Slot {
    const address = this.#block.address(number);
    const namespace = `${tableName(this.#deps.instance)}-${number}`;
    const { behindRouter } = this.#deps;
    return {
      number,
      plan: {
        namespace,
        inner: behindRouter ? `${namespace}-inner` : undefined,
        link: `${interfacePrefix(this.#deps.instance)}${number}`,
        address,
        rules: slotRules(this.#policy, address, behindRouter ? INNER_INTERFACE : undefined),
      },
    };
  }

  /**
   * A slot is never used again: its namespace is the network stack that a function drove, and keeps what no tool resets (counters,
   * closed connections that wait, measured routes). docs/isolation.md has the figures.
   */
  async #remove(slots: readonly Slot[]): Promise<void> {
    for (const { plan } of slots) {
      this.#runtimeApi.callers.delete(plan.address);
      this.#resolver.detach(plan.address);
    }
    await this.#removal.remove(
      slots.flatMap(({ plan }) =>
        plan.inner === undefined ? [plan.namespace] : [plan.inner, plan.namespace],
      ),
    );
    const rest = setTimeout(() => {
      for (const { number } of slots) this.#used.delete(number);
    }, REST_MS);
    rest.unref();
  }

  /** Goes round, so that an address rests before it is used again. */
  #freeNumber(): number {
    const slots = BLOCK_SIZE - 2;
    for (let i = 0; i < slots; i++) {
      this.#last = (this.#last % slots) + 1;
      if (this.#used.has(this.#last)) continue;
      this.#used.add(this.#last);
      return this.#last;
    }
    throw new SandboxError(`all ${slots} network slots are in use`);
  }
}

/** Removes namespaces, those that are given back during one removal all together in the next. */
class Removal {
  #names: string[] = [];
  #next: Promise<void> | undefined;
  #running: Promise<void> = Promise.resolve();

  remove(names: readonly string[]): Promise<void> {
    this.#names.push(...names);
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      this.#running = removeNamespaces(this.#names.splice(0));
      return this.#running;
    });
    return this.#next;
  }
}

/** The nftables table of a server, and the beginning of its network namespaces' names. */
export function tableName(instance: string): string {
  return `lambent-${instance}`;
}

/** Interface names have 15 characters: the prefix, seven of the instance, and up to four digits and a stop. */
function interfacePrefix(instance: string): string {
  return `${INTERFACE_PREFIX}${instance.slice(0, 7)}-`;
}

/** Resolves when the kernel has removed a server's interfaces, whose namespaces have been removed. */
export async function interfacesGone(instance: string): Promise<void> {
  const left = async () =>
    (await readdir("/sys/class/net").catch(() => [])).filter((name) =>
      name.startsWith(interfacePrefix(instance)),
    );
  for (
    let waited = 0, pause = 5;
    (await left()).length > 0;
    waited += pause, pause = Math.min(pause * 2, 100)
  ) {
    if (waited > REMOVAL_MS_MAX) break;
    await sleep(pause);
  }
  // One whose namespace something else still holds (a process that was debugging it) is taken away from it.
  for (const name of await left()) await tryProgram("ip", ["link", "del", name]);
}
