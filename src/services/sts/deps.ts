/** The one dependencies object of sts. */
import type { Sessions } from "./ports.ts";

export interface StsDeps {
  readonly roles: Sessions;
}
