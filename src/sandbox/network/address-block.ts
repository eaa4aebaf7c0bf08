/** The private addresses of one server's sandboxes: a /20 that nothing on this machine uses, claimed atomically by a route. */
import { runProgram, tryProgram } from "../run-program.ts";
import { SandboxError } from "../sandbox.ts";

/** 10.208.0.0/12 holds 256 blocks of 4,096 addresses; Docker, Kubernetes and home routers keep to other parts by default. */
const RANGE = 10 * 2 ** 24 + 208 * 2 ** 16;
const BLOCKS = 256;
const BLOCK_BITS = 20;
export const BLOCK_SIZE = 2 ** (32 - BLOCK_BITS);

export interface AddressBlock {
  /** `10.208.16.0/20` */
  readonly cidr: string;
  /** The n-th address, from 1 to BLOCK_SIZE - 2. */
  address(n: number): string;
  release(): Promise<void>;
}

/**
 * Claims a block: of two servers that add the same `unreachable` route only one succeeds. The route also keeps packets to
 * addresses that no sandbox has from leaving the machine.
 * @param start In [0, 1); where to begin looking, so that servers seldom meet.
 */
export async function claimBlock(start: number): Promise<AddressBlock> {
  const used = usedRanges(await runProgram("ip", ["-4", "route", "show", "table", "all"]));
  const first = Math.floor(start * BLOCKS);
  for (let i = 0; i < BLOCKS; i++) {
    const base = RANGE + ((first + i) % BLOCKS) * BLOCK_SIZE;
    if (used.some(({ from, to }) => from < base + BLOCK_SIZE && to > base)) continue;
    const cidr = `${dotted(base)}/${BLOCK_BITS}`;
    const { code } = await tryProgram("ip", ["route", "add", "unreachable", cidr]);
    if (code === 0) return { cidr, address: (n) => dotted(base + n), release: () => releaseBlock(cidr) };
  }
  throw new SandboxError(
    "every block of 10.208.0.0/12 is in use on this machine; sandboxes have no addresses",
  );
}

/** Removes the route of a block; one that is gone is no error. */
export async function releaseBlock(cidr: string): Promise<void> {
  await tryProgram("ip", ["route", "del", "unreachable", cidr]);
}

/** The destinations of routes, but for the default one, as numbers; `to` is exclusive. */
export function usedRanges(routes: string): { from: number; to: number }[] {
  const ranges: { from: number; to: number }[] = [];
  for (const line of routes.split("\n")) {
    const match = /^(?:[a-z]+ )?(\d+\.\d+\.\d+\.\d+)(?:\/(\d+))?(?: |$)/.exec(line.trim());
    if (!match?.[1]) continue;
    const bits = Number(match[2] ?? 32);
    if (bits > 0) ranges.push({ from: number(match[1]), to: number(match[1]) + 2 ** (32 - bits) });
  }
  return ranges;
}

function number(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}
