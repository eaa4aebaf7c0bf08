/** The shell scripts that make and remove slots: one shell for a batch of them, since starting tools is most of the cost. */
import { runProgram, tryProgram } from "../run-program.ts";
import { GATEWAY } from "./firewall.ts";

/** Locally administered addresses; every link has the same, so that no sandbox ever asks who has which. */
const HOST_MAC = "02:4c:4d:42:00:01";
const SANDBOX_MAC = "02:4c:4d:42:00:02";
const INNER_ROUTER_MAC = "02:4c:4d:42:00:03";
const INNER_SANDBOX_MAC = "02:4c:4d:42:00:04";
/** The router's end of the inner link; it answers there with ICMP errors, and to nothing else. */
const ROUTER = "169.254.100.2";
/** The router's interface towards the sandbox. */
export const INNER_INTERFACE = "inner";

export interface SlotPlan {
  /** Namespace with the rules; the sandbox's own, unless there is an inner one. */
  readonly namespace: string;
  /** Namespace of the sandbox, behind the other. */
  readonly inner: string | undefined;
  /** Interface on the host. */
  readonly link: string;
  readonly address: string;
  /** Script for `nft -f` inside. */
  readonly rules: string;
}

/** Makes slots. @throws SandboxError when one of them cannot be made; what was made of them is to be removed then. */
export async function makeSlots(plans: readonly SlotPlan[]): Promise<void> {
  const host = plans.flatMap(hostCommands);
  await runProgram("/bin/sh", ["-eu"], [ipBatch(host), ...plans.map(configureSlot)].join("\n"));
}

/**
 * Removes namespaces, and with each its rules and both ends of its link. The kernel does so in the background, for all at once;
 * to remove the links first would make every caller wait for it. What is not there is no error.
 */
export async function removeNamespaces(names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const lines = names.map((name) => `netns del ${name}\n`).join("");
  await tryProgram("ip", ["-force", "-batch", "-"], lines);
}

/** Runs a script for `nft -f` in a namespace. */
export async function changeRules(namespace: string, script: string): Promise<void> {
  await runProgram("nsenter", [`--net=/run/netns/${namespace}`, "nft", "-f", "-"], script);
}

function hostCommands({ namespace, inner, link, address }: SlotPlan): string[] {
  return [
    `netns add ${namespace}`,
    ...(inner === undefined ? [] : [`netns add ${inner}`]),
    `link add ${link} address ${HOST_MAC} type veth peer name eth0 address ${SANDBOX_MAC} netns ${namespace}`,
    `link set ${link} up`,
    `route add ${address}/32 dev ${link}`,
    `neigh replace ${address} lladdr ${SANDBOX_MAC} dev ${link} nud permanent`,
  ];
}

function configureSlot(plan: SlotPlan): string {
  const settings = `/proc/sys/net/ipv4/conf/${plan.link}`;
  const ipv6 = `/proc/sys/net/ipv6/conf/${plan.link}/disable_ipv6`;
  return [
    `echo 1 > ${settings}/route_localnet`,
    // A packet from an address that this link does not lead to is dropped.
    `echo 1 > ${settings}/rp_filter`,
    // Without outbound traffic too: what may not be forwarded must reach the rules that refuse it at once.
    `echo 1 > ${settings}/forwarding`,
    `test ! -e ${ipv6} || echo 1 > ${ipv6}`,
    ...(plan.inner === undefined ? [insideSandbox(plan)] : [insideRouter(plan), behindRouter(plan)]),
  ].join("\n");
}

function insideSandbox({ namespace, address, rules }: SlotPlan): string {
  return within(namespace, [NO_IPV6, ipBatch(sandboxCommands(address, HOST_MAC)), loadRules(rules)]);
}

/** A router between host and sandbox: it has no address of the sandbox's, and answers for the gateway that nobody owns. */
function insideRouter({ namespace, inner, address, rules }: SlotPlan): string {
  const conf = "/proc/sys/net/ipv4/conf";
  return within(namespace, [
    NO_IPV6,
    ipBatch([
      `link add ${INNER_INTERFACE} address ${INNER_ROUTER_MAC} type veth peer name eth0 address ${INNER_SANDBOX_MAC} netns ${inner}`,
      "link set lo up",
      "link set eth0 up",
      `link set ${INNER_INTERFACE} up`,
      `addr add ${ROUTER}/32 dev ${INNER_INTERFACE}`,
      `route add ${address}/32 dev ${INNER_INTERFACE}`,
      `neigh replace ${address} lladdr ${INNER_SANDBOX_MAC} dev ${INNER_INTERFACE} nud permanent`,
      ...gatewayCommands(HOST_MAC),
    ]),
    // gVisor's network stack is told of routes but asks for neighbours.
    `echo 1 > ${conf}/${INNER_INTERFACE}/proxy_arp`,
    `echo 0 > /proc/sys/net/ipv4/neigh/${INNER_INTERFACE}/proxy_delay`,
    `echo 1 > ${conf}/${INNER_INTERFACE}/rp_filter`,
    `echo 1 > /proc/sys/net/ipv4/ip_forward`,
    loadRules(rules),
  ]);
}

function behindRouter({ inner, address }: SlotPlan): string {
  return within(String(inner), [NO_IPV6, ipBatch(sandboxCommands(address, INNER_ROUTER_MAC))]);
}

function sandboxCommands(address: string, gatewayMac: string): string[] {
  return [
    "link set lo up",
    `addr add ${address}/32 dev eth0`,
    "link set eth0 up",
    ...gatewayCommands(gatewayMac),
  ];
}

function gatewayCommands(mac: string): string[] {
  return [
    `route add ${GATEWAY} dev eth0 scope link`,
    `route add default via ${GATEWAY} dev eth0`,
    `neigh replace ${GATEWAY} lladdr ${mac} dev eth0 nud permanent`,
  ];
}

const NO_IPV6 =
  "for name in all default; do f=/proc/sys/net/ipv6/conf/$name/disable_ipv6; test ! -e $f || echo 1 > $f; done";

/** A shell in a namespace. Quoted delimiters keep the outer shell from reading what the inner one shall read. */
function within(namespace: string, lines: readonly string[]): string {
  return `nsenter --net=/run/netns/${namespace} /bin/sh -eu <<'INSIDE'\n${lines.join("\n")}\nINSIDE`;
}

function ipBatch(lines: readonly string[]): string {
  return `ip -batch - <<'IP'\n${lines.join("\n")}\nIP`;
}

function loadRules(rules: string): string {
  return `nft -f - <<'NFT'\n${rules}NFT`;
}
