/** The host names of websites: `BUCKET.s3-website.` or `BUCKET.s3-website-REGION.` before the name by which the server is reached. */

const HOST = /^(.+?)\.s3-website(?:[.-].*)?$/;

/** The bucket whose website a Host header names. */
export function websiteOf(host: string | undefined): string | undefined {
  return host?.includes(".s3-website") ? HOST.exec(host.replace(/:\d+$/, "").toLowerCase())?.[1] : undefined;
}

/** Whether a Host header names a website. */
export function isWebsite(host: string | undefined): boolean {
  return websiteOf(host) !== undefined;
}
