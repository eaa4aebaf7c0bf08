/** The generated files of a sandbox's root: accounts, name service, certificates. Nothing is taken from the host's /etc but its CA bundle. */
import { readFile } from "node:fs/promises";
import { SANDBOX_GID, SANDBOX_UID, SANDBOX_USER } from "../limits.ts";

/** Where distributions keep their certificate authorities in one file. */
const CA_BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
] as const;

/** Where programs inside look for it: Debian's OpenSSL and Go, Amazon Linux's, and OpenSSL's own defaults. */
const CA_PLACES = [
  "etc/ssl/certs/ca-certificates.crt",
  "etc/pki/tls/certs/ca-bundle.crt",
  "etc/ssl/cert.pem",
  "usr/lib/ssl/cert.pem",
] as const;

/** Path under the root → content. */
export async function etcFiles(): Promise<Record<string, string | Buffer>> {
  const files: Record<string, string | Buffer> = {
    "etc/passwd":
      "root:x:0:0:root:/root:/sbin/nologin\n" +
      `${SANDBOX_USER}:x:${SANDBOX_UID}:${SANDBOX_GID}::/home/${SANDBOX_USER}:/sbin/nologin\n` +
      "nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n",
    "etc/group": `root:x:0:\n${SANDBOX_USER}:x:${SANDBOX_GID}:\nnogroup:x:65534:\n`,
    "etc/nsswitch.conf":
      "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\nservices: files\nprotocols: files\n",
    "etc/hosts": "127.0.0.1 localhost\n",
    "etc/resolv.conf": "",
    "etc/hostname": "localhost\n",
    "etc/services": "http 80/tcp\nhttps 443/tcp\ndomain 53/udp\ndomain 53/tcp\n",
    "etc/protocols": "ip 0 IP\nicmp 1 ICMP\ntcp 6 TCP\nudp 17 UDP\n",
    "etc/localtime": await readFile("/usr/share/zoneinfo/UTC").catch(() => ""),
    "etc/os-release": 'ID=lambent\nNAME="Lambent sandbox"\n',
  };
  const bundle = await certificates();
  if (bundle) for (const place of CA_PLACES) files[place] = bundle;
  return files;
}

async function certificates(): Promise<Buffer | undefined> {
  for (const path of CA_BUNDLES) {
    const bundle = await readFile(path).catch(() => undefined);
    if (bundle) return bundle;
  }
  return undefined;
}
