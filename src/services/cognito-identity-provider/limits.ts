/** Every bound of user pools, each with its unit. @see https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export const POOLS_MAX = 1_000;
export const CLIENTS_PER_POOL_MAX = 1_000;
export const GROUPS_PER_POOL_MAX = 10_000;
export const GROUPS_PER_USER_MAX = 100;
export const RESOURCE_SERVERS_PER_POOL_MAX = 25;
export const CUSTOM_ATTRIBUTES_MAX = 50;
export const CUSTOM_ATTRIBUTE_NAME_CHARS_MAX = 20;
export const ATTRIBUTE_CHARS_MAX = 2_048;
/** Devices that are kept of a user; the one used longest ago goes first. */
export const DEVICES_PER_USER_MAX = 100;
export const TAGS_MAX = 50;
/** Secrets that a client may have at once, so that one can replace the other. */
export const SECRETS_PER_CLIENT_MAX = 2;

/** Digits of a confirmation code. */
export const CODE_DIGITS = 6;
export const SIGN_UP_CODE_MS = DAY_MS;
export const ATTRIBUTE_CODE_MS = DAY_MS;
export const FORGOT_PASSWORD_CODE_MS = HOUR_MS;
/** Wrong codes within an hour before no more are taken until it is over. */
export const CODE_FAILURES_MAX = 5;
/** Codes for a forgotten password, and codes sent again, within an hour. */
export const CODES_PER_HOUR_MAX = 20;
export const ATTEMPT_WINDOW_MS = HOUR_MS;

/** Wrong passwords before the user is locked out: for one second, and twice as long each time, up to about 15 minutes. */
export const PASSWORD_FAILURES_MAX = 5;
export const LOCKOUT_MS_MAX = 15 * MINUTE_MS;
/** After so long without an attempt the count begins anew. */
export const LOCKOUT_FORGET_MS = 15 * MINUTE_MS;

/** Rounds of a custom challenge in one sign-in. */
export const CUSTOM_ROUNDS_MAX = 50;

export const TRIGGER_MS_MAX = 5_000;
export const TRIGGER_TRIES_MAX = 3;

/** A key signs for so long; then it only verifies, until the last token that it signed has ended. */
export const SIGNING_KEY_MS = 90 * DAY_MS;
/** The longest life of a token, of which no verification by an old key is asked later. */
export const TOKEN_MS_MAX = DAY_MS;
export const SIGNING_KEY_BITS = 2_048;

/** How long an operator may read a message that a user would have been sent. */
export const MESSAGE_MS = DAY_MS;
/** Messages of a pool that are kept; the oldest go first. */
export const MESSAGES_PER_POOL_MAX = 1_000;

/** Between two looks for what has expired. */
export const HOUSEKEEPING_MS = 10 * MINUTE_MS;

/** Users that are read at once while a list is filtered. */
export const SCAN_USERS = 500;
export const LIST_USERS_MAX = 60;
