/** Errors of TLS that say why a server is not trusted. */

/** Codes of OpenSSL and Node.js for certificates that no authority vouches for, or that are another's or of another time. */
export const UNTRUSTED_SERVER =
  /UNABLE_TO_(VERIFY|GET)|SELF_SIGNED_CERT|CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|CERT_UNTRUSTED|ALTNAME_INVALID|CERT_SIGNATURE_FAILURE/;
