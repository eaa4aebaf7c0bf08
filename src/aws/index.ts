/** The AWS front door: what other parts may use. */
export { createAuthorization } from "./authorization.ts";
export { createFrontDoor } from "./front-door.ts";
export type {
  Admission,
  Answer,
  FrontDoor,
  FrontDoorOptions,
  Identification,
  OtherExchange,
} from "./front-door.ts";
export type { NamedCall, NamedCalls } from "./named-calls.ts";
export { DEFAULT_ACCOUNT } from "./auth/authenticate.ts";
export { CallerPresence } from "./http/caller-presence.ts";
export type { RequestHead } from "./http/wire-request.ts";
export type { WireResponse } from "./protocol/protocol.ts";
export { signRequest } from "./auth/sign-request.ts";
