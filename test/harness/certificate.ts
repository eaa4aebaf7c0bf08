/** A certificate for localhost that is its own authority, by the machine's openssl. */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface TestCertificate {
  /** PEM. */
  readonly certificate: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  /** PKCS #12 of both, for Java. */
  readonly storeFile: string;
  readonly storePassword: string;
}

/** Why there can be none on this machine. */
export function certificateMissing(): string | undefined {
  return spawnSync("openssl", ["version"]).status === 0
    ? undefined
    : "there is no openssl on this machine; install Debian's package openssl";
}

export function makeCertificate(folder: string): TestCertificate {
  const [certificateFile, keyFile, storeFile] = ["tls.pem", "tls.key", "tls.p12"].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  const storePassword = "changeit";
  const openssl = (words: string) => execFileSync("openssl", words.split(" "), { stdio: "pipe" });
  openssl(
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost ` +
      `-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout ${keyFile} -out ${certificateFile}`,
  );
  openssl(
    `pkcs12 -export -inkey ${keyFile} -in ${certificateFile} -out ${storeFile} -passout pass:${storePassword}`,
  );
  return {
    certificate: readFileSync(certificateFile, "utf8"),
    certificateFile,
    keyFile,
    storeFile,
    storePassword,
  };
}
