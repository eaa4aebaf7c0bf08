/** How long to wait before something that failed is tried again. */

const DELAY_MS_MIN = 1_000;
const DELAY_MS_MAX = 5 * 60_000;

/** The wait after so many failures in a row before this one, in milliseconds: doubling, from one second to five minutes. */
export function backOffMs(failures: number): number {
  return Math.min(DELAY_MS_MAX, DELAY_MS_MIN * 2 ** Math.min(failures, 30));
}
