/**
 * Writes to a socket without ending it where nobody is there any more. A process that has ended may have left words in the socket, which
 * a stream throws away when writing to it fails.
 */
import { writeSync } from "node:fs";
import type { Socket } from "node:net";

/** Whether all of it has gone to the kernel. What the kernel did not take waits in the socket, and is lost where nobody reads any more. */
export function writeNow(socket: Socket, bytes: Buffer): boolean {
  const fd = descriptorOf(socket);
  if (fd === undefined || socket.writableLength > 0) {
    socket.write(bytes);
    return false;
  }
  let written = 0;
  try {
    written = writeSync(fd, bytes);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EAGAIN") return false;
  }
  if (written < bytes.length) socket.write(bytes.subarray(written));
  return written === bytes.length;
}

function descriptorOf(socket: Socket): number | undefined {
  // oxlint-disable-next-line no-underscore-dangle -- Node shows a socket's descriptor nowhere else
  const fd = (socket as unknown as { readonly _handle?: { readonly fd?: number } | null })._handle?.fd;
  return fd !== undefined && fd >= 0 ? fd : undefined;
}
