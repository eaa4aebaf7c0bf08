/**
 * The name server of sandboxes where names are listed as destinations. It answers from the host's resolvers, and makes each address that
 * a listed name is answered with reachable for the sandbox that asked, as long as the answer is good, before it passes the answer on.
 */
import { createSocket } from "node:dgram";
import type { Socket as UdpSocket } from "node:dgram";
import { connect, createServer } from "node:net";
import type { Server, Socket } from "node:net";
import type { Log } from "../../telemetry/log.ts";
import { RCODE, emptyAnswer, isAnswer, readAddresses, readQuestion } from "./dns-message.ts";
import { listenOnLoopback } from "./host-network.ts";
import { pinScript } from "./slot-rules.ts";
import type { DestinationGroup } from "./slot-rules.ts";
import { changeRules } from "./slot-script.ts";

const DNS_PORT = 53;
/** How long one resolver may take, in milliseconds; a client's own patience is 5 s by default. */
const UPSTREAM_MS_MAX = 2_000;
/** Questions of one sandbox that are under way; those beyond are dropped, as a busy name server drops them. */
const QUESTIONS_MAX = 64;
const CONNECTIONS_MAX = 128;
const CONNECTION_IDLE_MS_MAX = 10_000;
/** Addresses of one answer that are made reachable. */
const ADDRESSES_MAX = 64;
/** Shortest and longest time that an address stays reachable, in seconds: clients keep answers longer than they should. */
const PIN_SECONDS_MIN = 300;
const PIN_SECONDS_MAX = 86_400;

export interface NameServerDeps {
  readonly upstreams: readonly string[];
  readonly groups: readonly DestinationGroup[];
  /** Names that are not listed are not resolved: a question is a way out, too. */
  readonly refuseOthers: boolean;
  readonly log: Log;
}

interface Client {
  readonly namespace: string;
  /** Set and address → when it stops being reachable, in milliseconds of `performance.now()`. */
  readonly pinned: Map<string, number>;
  questions: number;
}

type Transport = "udp" | "tcp";

export class NameServer {
  readonly port: number;
  readonly #deps: NameServerDeps;
  readonly #udp: UdpSocket;
  readonly #tcp: Server;
  readonly #clients = new Map<string, Client>();
  readonly #sockets = new Set<Socket>();
  #isClosed = false;

  private constructor(deps: NameServerDeps, udp: UdpSocket, tcp: Server, port: number) {
    this.#deps = deps;
    this.#udp = udp;
    this.#tcp = tcp;
    this.port = port;
    udp.on("message", (query, from) => {
      const reply = (answer: Buffer) => udp.send(answer, from.port, from.address, () => {});
      void this.#reply(query, from.address, "udp", reply);
    });
    tcp.on("connection", (socket) => this.#serve(socket));
  }

  /** Listens on one port of 127.0.0.1, for UDP and TCP. */
  static async open(deps: NameServerDeps): Promise<NameServer> {
    const tcp = createServer();
    const port = await listenOnLoopback(tcp);
    const udp = createSocket("udp4");
    await new Promise<void>((resolve, reject) => {
      udp.once("error", reject);
      udp.bind(port, "127.0.0.1", resolve);
    });
    udp.on("error", (error) => deps.log.warn("the name server of sandboxes has a problem", { error }));
    return new NameServer(deps, udp, tcp, port);
  }

  /** Serves the sandbox that asks from this address. */
  attach(address: string, namespace: string): void {
    this.#clients.set(address, { namespace, pinned: new Map(), questions: 0 });
  }

  detach(address: string): void {
    this.#clients.delete(address);
  }

  close(): void {
    this.#isClosed = true;
    this.#udp.close();
    this.#tcp.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #serve(socket: Socket): void {
    if (this.#sockets.size >= CONNECTIONS_MAX) return void socket.destroy();
    const address = socket.remoteAddress ?? "";
    this.#sockets.add(socket);
    socket.setTimeout(CONNECTION_IDLE_MS_MAX, () => socket.destroy());
    socket.on("error", () => socket.destroy());
    socket.once("close", () => this.#sockets.delete(socket));
    const reply = (answer: Buffer) => void (socket.destroyed || socket.write(framed(answer)));
    onMessages(socket, (query) => void this.#reply(query, address, "tcp", reply));
  }

  async #reply(
    query: Buffer,
    from: string,
    transport: Transport,
    send: (answer: Buffer) => void,
  ): Promise<void> {
    const answer = await this.#answer(query, from, transport);
    if (answer && !this.#isClosed) send(answer);
  }

  /** Undefined where nothing is answered: to strangers, and to what is no question. */
  async #answer(query: Buffer, from: string, transport: Transport): Promise<Buffer | undefined> {
    const client = this.#clients.get(from);
    const question = readQuestion(query);
    if (!client || !question || isAnswer(query) || client.questions >= QUESTIONS_MAX) return undefined;
    const groups = this.#deps.groups.filter(({ names }) =>
      names.some((name) => matches(name, question.name)),
    );
    if (groups.length === 0 && this.#deps.refuseOthers) return emptyAnswer(query, question, RCODE.refused);
    client.questions += 1;
    try {
      const answer = await this.#ask(query, transport);
      if (answer) {
        await this.#pin(client, groups, answer);
        return answer;
      }
    } catch (error) {
      // The sandbox may have ended meanwhile.
      if (this.#clients.get(from) === client)
        this.#deps.log.warn("a name could not be made reachable", { name: question.name, error });
    } finally {
      client.questions -= 1;
    }
    return emptyAnswer(query, question, RCODE.serverFailure);
  }

  /** The first resolver that answers. */
  async #ask(query: Buffer, transport: Transport): Promise<Buffer | undefined> {
    for (const upstream of this.#deps.upstreams) {
      const answer = await (transport === "udp" ? askByUdp : askByTcp)(upstream, query);
      if (answer) return answer;
    }
    return undefined;
  }

  async #pin(client: Client, groups: readonly DestinationGroup[], answer: Buffer): Promise<void> {
    const now = performance.now();
    let script = "";
    const until = new Map<string, number>();
    for (const { address, ttl } of readAddresses(answer)?.slice(0, ADDRESSES_MAX) ?? [])
      for (const { pinned } of groups) {
        const good = Math.min(Math.max(ttl, PIN_SECONDS_MIN), PIN_SECONDS_MAX);
        const key = `${pinned} ${address}`;
        // One that is reachable for as long as this answer is good needs no renewal; tools cost time.
        if ((client.pinned.get(key) ?? 0) > now + ttl * 1_000) continue;
        script += pinScript(pinned, [address], good);
        until.set(key, now + good * 1_000);
      }
    if (script === "") return;
    await changeRules(client.namespace, script);
    for (const [key, time] of until) client.pinned.set(key, time);
  }
}

/** `*.example.com` stands for everything below example.com. */
function matches(pattern: string, name: string): boolean {
  return pattern.startsWith("*.") ? name.endsWith(pattern.slice(1)) : name === pattern;
}

/** A socket of its own for each question: who wants to slip in an answer must guess its port, too. */
function askByUdp(upstream: string, query: Buffer): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    const done = (answer?: Buffer) => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(done, UPSTREAM_MS_MAX);
    socket.once("error", () => done());
    socket.on("message", (answer, from) => {
      if (from.address === upstream && answers(answer, query)) done(answer);
    });
    socket.send(query, DNS_PORT, upstream, (error) => {
      if (error) done();
    });
  });
}

function askByTcp(upstream: string, query: Buffer): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: upstream, port: DNS_PORT, timeout: UPSTREAM_MS_MAX });
    socket.once("connect", () => socket.write(framed(query)));
    socket.once("timeout", () => socket.destroy());
    socket.on("error", () => socket.destroy());
    socket.once("close", () => resolve(undefined));
    onMessages(socket, (answer) => {
      if (answers(answer, query)) resolve(answer);
      socket.destroy();
    });
  });
}

function answers(answer: Buffer, query: Buffer): boolean {
  const [asked, answered] = [readQuestion(query), readQuestion(answer)];
  return isAnswer(answer) && asked !== undefined && asked.id === answered?.id && asked.name === answered.name;
}

/** Over TCP each message follows its length in two bytes. */
function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

function onMessages(socket: Socket, take: (message: Buffer) => void): void {
  let held = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
      const end = 2 + held.readUInt16BE(0);
      take(held.subarray(2, end));
      held = held.subarray(end);
    }
  });
}
