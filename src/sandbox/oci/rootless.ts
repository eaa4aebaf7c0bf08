/** Sandboxes of a server that is not root: a user namespace stands in for the privileges; what it cannot give is named. */
import { readFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { SANDBOX_GID, SANDBOX_UID } from "../limits.ts";
import { tryProgram } from "../run-program.ts";
import type { IdMapping, UserNamespace } from "./bundle.ts";

/** Ids that a sandbox needs: root (runc's set-up) to nobody. */
const IDS = 65_536;

/**
 * The identities of a rootless sandbox. With subordinate ids (newuidmap, /etc/subuid) the server's own user is uid 993 inside,
 * so that what the server makes is the function's; without them only one id exists, and the function runs as root of its own
 * namespace, with no capabilities.
 */
export async function userNamespace(): Promise<{ namespace: UserNamespace; missing: string[] }> {
  const { uid, gid, username } = userInfo();
  const [uids, gids] = await Promise.all([
    subordinate("/etc/subuid", username, uid),
    subordinate("/etc/subgid", username, uid),
  ]);
  const tools = (await tryProgram("sh", ["-c", "command -v newuidmap && command -v newgidmap"])).code === 0;
  if (uids === undefined || gids === undefined || !tools) {
    return {
      namespace: { uidMappings: onlyRoot(uid), gidMappings: onlyRoot(gid), uid: 0, gid: 0 },
      missing: [
        "Functions run as uid 0 of their user namespace instead of 993; install uidmap and give this user ranges in /etc/subuid and /etc/subgid.",
      ],
    };
  }
  return {
    namespace: {
      uidMappings: mappingsAround(SANDBOX_UID, uid, uids),
      gidMappings: mappingsAround(SANDBOX_GID, gid, gids),
      uid: SANDBOX_UID,
      gid: SANDBOX_GID,
    },
    missing: [],
  };
}

function onlyRoot(hostID: number): IdMapping[] {
  return [{ containerID: 0, hostID, size: 1 }];
}

/** Maps `inside` to the server's own id and every other id into the subordinate range. */
export function mappingsAround(inside: number, own: number, first: number): IdMapping[] {
  return [
    { containerID: 0, hostID: first, size: inside },
    { containerID: inside, hostID: own, size: 1 },
    { containerID: inside + 1, hostID: first + inside, size: IDS - inside - 1 },
  ];
}

async function subordinate(file: string, user: string, uid: number): Promise<number | undefined> {
  const text = await readFile(file, "utf8").catch(() => "");
  for (const line of text.split("\n")) {
    const [name, start, count] = line.split(":");
    if ((name === user || name === String(uid)) && Number(count) >= IDS - 1) return Number(start);
  }
  return undefined;
}
