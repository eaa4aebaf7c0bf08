/** How long a signature counts: five minutes around its date in a header, its own life in a presigned URL. */
import { AwsError } from "../errors.ts";
import type { WireRequest } from "../http/wire-request.ts";
import type { AuthFailure } from "./auth-errors.ts";

const MINUTE_MS = 60_000;
const SKEW_MINUTES = 5;
const SKEW_MS = SKEW_MINUTES * MINUTE_MS;
const PRESIGNED_SECONDS_MAX = 604_800;
const AMZ_DATE = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

type Fail = (failure: AuthFailure) => AwsError;

/** Callers send the same second many times, and each request asks more than once. */
let lastText = "";
let lastTime = Number.NaN;

/** Epoch milliseconds, or NaN. */
export function parseAmzDate(text: string): number {
  if (text !== lastText) {
    lastTime = Date.parse(text.replace(AMZ_DATE, "$1-$2-$3T$4:$5:$6Z"));
    lastText = text;
  }
  return lastTime;
}

/** @throws AwsError where the date is more than five minutes from now */
export function checkSkew(amzDate: string, now: number, fail: Fail): void {
  const signedAt = parseAmzDate(amzDate);
  if (Math.abs(now - signedAt) <= SKEW_MS) return;
  const isOld = signedAt < now;
  const bound = amzText(isOld ? now - SKEW_MS : now + SKEW_MS);
  const around = `(${amzText(now)} ${isOld ? "-" : "+"} ${SKEW_MINUTES} min.)`;
  throw fail({
    kind: "skewed",
    detail: isOld
      ? `Signature expired: ${amzDate} is now earlier than ${bound} ${around}`
      : `Signature not yet current: ${amzDate} is still later than ${bound} ${around}`,
    members: {
      RequestTime: amzDate,
      ServerTime: new Date(now).toISOString(),
      MaxAllowedSkewMilliseconds: SKEW_MS,
    },
  });
}

/** @throws AwsError where the URL's life is over, has not begun, or is longer than a week */
export function checkPresignedLife(request: WireRequest, now: number, fail: Fail): void {
  const amzDate = request.query.get("X-Amz-Date")?.[0] ?? "";
  const text = request.query.get("X-Amz-Expires")?.[0];
  const seconds = text === undefined || !/^\d+$/.test(text) ? Number.NaN : Number(text);
  const signedAt = parseAmzDate(amzDate);
  if (Number.isNaN(seconds) || Number.isNaN(signedAt))
    throw parametersError("X-Amz-Date and X-Amz-Expires must be present and valid");
  if (seconds > PRESIGNED_SECONDS_MAX)
    throw parametersError(
      `X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than ${PRESIGNED_SECONDS_MAX} seconds`,
    );
  const expiresAt = signedAt + seconds * 1_000;
  if (now <= expiresAt && signedAt - now <= SKEW_MS) return;
  throw fail({
    kind: "expired-url",
    detail: `Signature expired: ${amzDate} is now earlier than ${amzText(now - seconds * 1_000)} (${amzText(now)} - ${seconds} sec.)`,
    members: {
      "X-Amz-Expires": seconds,
      Expires: new Date(expiresAt).toISOString(),
      ServerTime: new Date(now).toISOString(),
    },
  });
}

/** @throws AwsError where the epoch second is past, or is none */
export function checkExpires(expires: string, now: number, fail: Fail): void {
  const expiresAt = /^\d{1,12}$/.test(expires) ? Number(expires) * 1_000 : Number.NaN;
  if (now <= expiresAt) return;
  if (Number.isNaN(expiresAt))
    throw new AwsError("AccessDenied", "Invalid date (should be seconds since epoch)", {}, 403);
  throw fail({
    kind: "expired-url",
    members: { Expires: new Date(expiresAt).toISOString(), ServerTime: new Date(now).toISOString() },
  });
}

function parametersError(message: string): AwsError {
  return new AwsError("AuthorizationQueryParametersError", message, {}, 400);
}

function amzText(time: number): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d{3}/g, "");
}
