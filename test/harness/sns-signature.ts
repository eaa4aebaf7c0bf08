/** Checks a message's signature as a subscriber does: by the certificate that it names, with node:crypto and nothing of ours. */
import { X509Certificate, createVerify } from "node:crypto";

const SIGNED = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];

export type SignedMessage = Readonly<Record<string, string | undefined>>;

/** Whether the signature of a notification (with members as queues and endpoints get them) is that of the certificate that its URL leads to. */
export async function verifies(message: SignedMessage): Promise<boolean> {
  const response = await fetch(message["SigningCertURL"] ?? "");
  if (!response.ok) throw new Error(`${message["SigningCertURL"]} answered ${response.status}`);
  const certificate = new X509Certificate(await response.text());
  if (!certificate.verify(certificate.publicKey))
    throw new Error("The certificate does not vouch for itself");
  const now = new Date();
  if (now < certificate.validFromDate || now > certificate.validToDate)
    throw new Error("It is not valid now");
  const verify = createVerify(message["SignatureVersion"] === "2" ? "sha256" : "sha1");
  for (const name of SIGNED)
    if (message[name] !== undefined && message[name] !== null) verify.update(`${name}\n${message[name]}\n`);
  return verify.verify(certificate.publicKey, message["Signature"] ?? "", "base64");
}
