/** The port through which the front door asks who an access key belongs to. Satisfied by IAM in compose.ts. */
import type { Principal } from "./service.ts";

export interface KeyRecord {
  readonly secretAccessKey: string;
  readonly principal: Principal;
  /** Present for temporary credentials; the request must carry the same token. */
  readonly sessionToken?: string;
  /** Epoch milliseconds. */
  readonly expiresAt?: number;
  readonly active: boolean;
}

export interface AccessKeys {
  find(accessKeyId: string): Promise<KeyRecord | undefined>;
  /** What `find` would answer, null for nobody's, where that needs no reading; else undefined. */
  known(accessKeyId: string): KeyRecord | null | undefined;
}
