/** The AWS front door: what other parts may use. */
export { createAuthorization } from "./authorization.ts";
export { createFrontDoor } from "./front-door.ts";
export type { FrontDoor, FrontDoorOptions } from "./front-door.ts";
export { signRequest } from "./auth/sign-request.ts";
