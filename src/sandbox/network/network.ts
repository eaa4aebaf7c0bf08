/** What a sandbox needs of the network, whether it has one of its own or the host's. */
import type { Socket } from "node:net";

export interface Attachment {
  /** Path of a network namespace, or the host's own. */
  readonly namespace: string;
  /** Address at which the server reaches what listens inside. */
  readonly address: string;
  readonly hostname: string;
  /** Content of /etc/hosts. */
  readonly hosts: string;
  /** `host:port` at which a process inside reaches a port of the server's. */
  addressOf(port: number): string;
  /** `host:port` at which the sandbox's own Runtime API is reached where AWS's SDKs take credentials from; undefined where it is on the loopback. */
  readonly credentials: string | undefined;
  /** Serves the sandbox's own Runtime API. @returns `host:port` as seen inside. */
  openRuntimeApi(onConnection: (socket: Socket) => void): Promise<string>;
  /** Gives the slot back; called when no process uses it any more. */
  release(): Promise<void>;
}

export interface Network {
  readonly kind: "isolated" | "host";
  /** Content of /etc/resolv.conf. */
  readonly resolvConf: string;
  /** Changes when a process inside would not find the server's own listeners where it knew them. */
  readonly addresses: string;
  take(): Promise<Attachment>;
  close(): Promise<void>;
}
