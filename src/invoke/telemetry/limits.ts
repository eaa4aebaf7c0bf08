/** The bounds of the Telemetry and Logs APIs, each with its unit; those of buffering are AWS's and stand in subscription.ts. */

/** How often a batch is offered to a subscriber that does not take it, before it is dropped and counted. */
export const deliveryAttemptsMax = 5;
/** What is waited before the second attempt is twice this, doubled again before each further one. */
export const deliveryBackoffMs = 50;
/** What a subscriber may take for one batch, while its environment runs. */
export const deliveryTimeoutMs = 5_000;
/** Events of the init phase that are kept for extensions which have not subscribed yet. */
export const backlogItemsMax = 1_000;
export const backlogBytesMax = 262_144;
