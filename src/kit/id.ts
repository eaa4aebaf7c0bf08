/** Identifiers and randomness as a dependency. */
import { randomBytes, randomUUID } from "node:crypto";

export interface Ids {
  /** A random UUID (version 4), lower case. */
  uuid(): string;
  /** `characters` random lower-case hexadecimal characters. */
  hex(characters: number): string;
  /** A number in [0, 1). */
  random(): number;
}

export const randomIds: Ids = {
  uuid: () => randomUUID(),
  hex: (characters) =>
    randomBytes(Math.ceil(characters / 2))
      .toString("hex")
      .slice(0, characters),
  random: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
};
